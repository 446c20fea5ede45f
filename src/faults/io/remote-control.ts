import { constants } from 'node:fs'
import { chown, mkdir, open, readdir, readlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { HoldfastError, systemClock, systemCode } from '../../kernel/index.ts'
import { readRunning, type RunningProcess } from '../process/list.ts'

/**
 * The remote control of libfiu (fiu-ctrl(1)): two named pipes for each process that has it loaded, `c-PID.in` for commands, a line each, and
 * `c-PID.out` for their answers, `0` or `-1`. They are in a folder of their own, which belongs to whom the program runs as.
 */
export const prefixIn = (folder: string) => join(folder, 'c')
const pipe = /^c-(\d+)\.in$/

/** How long a process may take to answer: a thread of its own does that. */
const answerMs = 2000
const pollMs = 5

export async function makeControls(folder: string, account?: { readonly uid: number; readonly gid: number }): Promise<void> {
  await mkdir(folder, { mode: 0o700 })
  if (account !== undefined) await chown(folder, account.uid, account.gid)
}

/** A process that can be told something, and what it runs: what it was told is forgotten when it runs something else. */
export interface Controlled {
  readonly process: RunningProcess
  readonly runs: string
}

export async function controlled(folder: string): Promise<Controlled[]> {
  const found: Controlled[] = []
  for (const name of await readdir(folder)) {
    const process = readRunning(Number(pipe.exec(name)?.[1] ?? 0))
    if (process !== undefined) found.push({ process, runs: await readlink(`/proc/${process.pid}/exe`).catch(() => '') })
  }
  return found
}

/** False when it does not listen, not yet or no more. Throws `fault-failed` when it does not understand, or does not answer. */
export async function tell(folder: string, pid: number, commands: readonly string[]): Promise<boolean> {
  const path = `${prefixIn(folder)}-${pid}`
  try {
    await using input = await openPipe(`${path}.in`, constants.O_WRONLY)
    await using output = await openPipe(`${path}.out`, constants.O_RDONLY)
    for (const command of commands) {
      await input.write(`${command}\n`)
      const answer = await readLine(output)
      if (answer !== '0') throw new HoldfastError('fault-failed', { message: `libfiu in ${pid} does not understand ${command}` })
    }
    return true
  } catch (error) {
    // Nobody reads, or nobody does any more.
    if (['ENOENT', 'ENXIO', 'EPIPE'].includes(systemCode(error) ?? '')) return false
    throw error
  }
}

/** Never waits for its other end, and never follows a link: the folder is another user’s. */
async function openPipe(path: string, way: number): Promise<FileHandle> {
  const handle = await open(path, way | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  if ((await handle.stat()).isFIFO()) return handle
  await handle.close()
  throw new HoldfastError('fault-failed', { message: `${path} is no pipe` })
}

async function readLine(output: FileHandle): Promise<string> {
  const endMs = systemClock.monotonicMs() + answerMs
  for (let text = ''; ;) {
    text += await readSome(output)
    const end = text.indexOf('\n')
    if (end >= 0) return text.slice(0, end).trim()
    if (systemClock.monotonicMs() > endMs) throw new HoldfastError('fault-failed', { message: 'libfiu does not answer' })
    await delay(pollMs)
  }
}

/** Nothing where nothing has come yet, also when nobody has opened its other end yet. */
async function readSome(output: FileHandle): Promise<string> {
  try {
    const { bytesRead, buffer } = await output.read(Buffer.alloc(64), 0, 64, null)
    return buffer.toString('latin1', 0, bytesRead)
  } catch (error) {
    if (systemCode(error) === 'EAGAIN') return ''
    throw error
  }
}
