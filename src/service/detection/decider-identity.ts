import { mkdir, readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { randomHex, systemCode, writeFileDurably, stateDirectory } from '../../kernel/index.ts'

export interface DeciderIdentity {
  /** The same for every process that decides with this state directory: only one of them does at a time. */
  readonly decider: string
  /** For people. */
  readonly host: string
}

/** Made once for a state directory. To be asked by the one process that decides there. */
export async function deciderIdentity(catalogFile: string): Promise<DeciderIdentity> {
  const folder = stateDirectory(catalogFile)
  const path = join(folder, 'decider-id')
  const host = hostname()
  try {
    const decider = (await readFile(path, 'utf8')).trim()
    if (/^[0-9a-f]{32}$/.test(decider)) return { decider, host }
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
  const decider = randomHex(16)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeFileDurably(path, `${decider}\n`)
  return { decider, host }
}
