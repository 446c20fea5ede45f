import { HoldfastError } from '../../kernel/index.ts'
import { createJournalReader, type JournalRecord } from '../../journal/index.ts'
import { parseEvent, type RunEvent } from '../events.ts'
import type { RunFolder } from './run-folder.ts'

type Submitted = RunEvent & { type: 'submitted' }

/** A run's events, of which each is read once however often it is asked. */
export class RunReader {
  readonly #folder: RunFolder
  readonly #journal
  readonly #events: RunEvent[] = []
  #reading: Promise<void> = Promise.resolve()
  #notUnderstood: unknown

  constructor(folder: RunFolder) {
    this.#folder = folder
    this.#journal = createJournalReader(folder.journal)
  }

  /** Every event so far. Throws `run-not-found`: also for a run that crashed before it was durable, which nobody was told of. */
  async events(): Promise<readonly [Submitted, ...RunEvent[]]> {
    const reading = this.#reading.then(async () => {
      if (this.#notUnderstood !== undefined) throw this.#notUnderstood
      for (const record of await this.#journal.readOn()) this.#events.push(this.#understood(record))
    })
    this.#reading = reading.catch(() => {})
    await reading
    if (this.#events[0]?.type !== 'submitted') throw notFound(this.#folder.runId)
    return this.#events as [Submitted, ...RunEvent[]]
  }

  /** The journal reads each record once: what was not understood the first time must not be passed over the second. */
  #understood(record: JournalRecord): RunEvent {
    try {
      return parseEvent(record, this.#folder.journal)
    } catch (error) {
      this.#notUnderstood = error
      throw error
    }
  }

  /** When it was submitted (ISO), without reading what has happened since; undefined for one that is not found. */
  async submittedAt(): Promise<string | undefined> {
    const record = await this.#journal.first()
    const event = record === undefined ? undefined : parseEvent(record, this.#folder.journal)
    return event?.type === 'submitted' ? event.at : undefined
  }
}

function notFound(runId: string): HoldfastError {
  return new HoldfastError('run-not-found', {
    message: `there is no run ${runId}`,
    hint: '`holdfast run list` shows the runs of this catalog',
    details: { runId },
  })
}
