import { readdir, readFile } from 'node:fs/promises'
import { HoldfastError } from '../../../kernel/index.ts'

/** How many processes have a command line that contains the text; this one, and those that have ended, do not count. */
export async function countProcesses(text: string): Promise<number> {
  if (process.platform !== 'linux') {
    throw new HoldfastError('usage', { message: 'processes can be counted on Linux only', hint: 'use a command instead' })
  }
  let count = 0
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue
    try {
      // Empty for a process that has ended and waits to be reaped, and for the kernel's own.
      const commandLine = await readFile(`/proc/${entry}/cmdline`, 'utf8')
      if (commandLine.replaceAll('\0', ' ').includes(text)) count++
    } catch {
      // It has ended meanwhile.
    }
  }
  return count
}
