import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, systemCode } from '../../kernel/index.ts'
import { readJournal } from '../../journal/index.ts'
import { parseEvent, type RunEvent } from '../events.ts'

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

/** Every event of a run. Throws `run-not-found`: also for a run that crashed before it was durable, which nobody was told of. */
export async function readEvents(folder: RunFolder): Promise<[RunEvent & { type: 'submitted' }, ...RunEvent[]]> {
  const [first, ...rest] = (await readJournal(folder.journal)).map((record) => parseEvent(record, folder.journal))
  if (first?.type !== 'submitted') {
    throw new HoldfastError('run-not-found', {
      message: `there is no run ${folder.runId}`,
      hint: '`holdfast run list` shows the runs of this catalog',
      details: { runId: folder.runId },
    })
  }
  return [first, ...rest]
}
