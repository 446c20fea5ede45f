import { mkdir, readFile, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode, writeFileDurably } from '../../kernel/index.ts'
import { chaosFolders } from './folders.ts'

export interface Halt {
  readonly by: string
  readonly at: string
  readonly why: string
}

/** Stops every experiment of the catalog at that path on this machine, at its next look, and keeps new ones from beginning. Durable. */
export async function haltChaos(catalogPath: string, { by, why }: Pick<Halt, 'by' | 'why'>): Promise<Halt> {
  const { halt } = chaosFolders(catalogPath)
  const said: Halt = { by, why, at: new Date().toISOString() }
  await mkdir(dirname(halt), { recursive: true, mode: 0o700 })
  await writeFileDurably(halt, `${JSON.stringify(said)}\n`)
  return said
}

/** False when nothing was halted. */
export async function liftHalt(catalogPath: string): Promise<boolean> {
  try {
    await unlink(chaosFolders(catalogPath).halt)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

/** Why nothing may be broken; a switch that cannot be read is one that is on. */
export async function haltedBecause(catalogPath: string): Promise<string | undefined> {
  try {
    const { by, why } = JSON.parse(await readFile(chaosFolders(catalogPath).halt, 'utf8')) as Halt
    return `halted by ${by}: ${why}`
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? undefined : 'halted'
  }
}
