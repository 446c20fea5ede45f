import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, systemCode } from '../../kernel/index.ts'

/** Where a run lives below the state directory. */
export interface RunFolder {
  readonly runId: string
  readonly journal: string
  readonly lock: string
  /** Letters from other processes: signals and cancellations that the run has yet to record. */
  readonly inbox: string
}

export function runFolder(stateDirectory: string, runId: string): RunFolder {
  if (!/^[A-Za-z0-9][\w.-]{0,99}$/.test(runId)) {
    throw new HoldfastError('usage', { message: `'${runId}' is not the id of a run`, hint: '`holdfast run list` shows the ids' })
  }
  const folder = join(stateDirectory, 'runs', runId)
  const journal = join(folder, 'journal.ndjson')
  return { runId, journal, lock: `${journal}.lock`, inbox: join(folder, 'inbox') }
}

export async function runIds(stateDirectory: string): Promise<string[]> {
  try {
    return (await readdir(join(stateDirectory, 'runs'))).sort()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}
