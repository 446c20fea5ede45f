import { readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnyFault } from '../../faults/index.ts'
import { isHoldfastError, messageOf, processState, systemClock, type Clock } from '../../kernel/index.ts'
import { clear } from './clear.ts'
import { recall } from './recall.ts'
import { openRecordSlots, readRecords, removeFolder, say, type FaultRecord, type OpenedRecord } from './record.ts'
import { traceContext } from './trace-context.ts'

/**
 * What became of an open record. `cleared`: nothing is left of it. `held`: whoever injected it is alive; what is over its time has been taken back all the same. `elsewhere`: it was
 * injected on another machine, from which alone it can be taken back. `failed`: something is left.
 */
export type Swept = {
  readonly id: string
  readonly kind: string
  readonly experiment: string
  readonly targets: readonly string[]
} & (
  | { readonly state: 'cleared' | 'held' }
  | { readonly state: 'elsewhere'; readonly host: string }
  | { readonly state: 'failed'; readonly because: string; readonly hint?: string }
)

export interface SweepOptions {
  /** Where the records are. */
  readonly directory: string
  readonly faults: readonly AnyFault[]
  readonly clock?: Clock
  /** For each fault that does not go at once. */
  readonly budgetMs?: number
}

/** Closed records are kept that long, for those who ask what was done. */
const keepClosedMs = 30 * 86_400_000
const defaultBudgetMs = 30_000

/** Takes back what others left, and removes what is of no use any more. Throws `journal-damaged` for a record that cannot be read. */
export async function sweep(options: SweepOptions, signal: AbortSignal): Promise<Swept[]> {
  const { directory, clock = systemClock } = options
  const records = await readRecords(directory)
  const open = records.filter(({ closed }) => !closed)
  const swept: Swept[] = []
  for (const opened of open) swept.push(await sweepOne(opened, options, signal))
  for (const { path, record, closed } of records) {
    if (!closed || clock.now().getTime() - Date.parse(record.at) < keepClosedMs) continue
    await removeFolder(directory, record.id)
    await unlink(path)
  }
  await removeTorn(directory)
  return swept
}

async function sweepOne(opened: OpenedRecord, options: SweepOptions, signal: AbortSignal): Promise<Swept> {
  const { directory, faults, clock = systemClock, budgetMs = defaultBudgetMs } = options
  const { path, record } = opened
  const { id, kind, experiment, targets, injector } = record
  const about = { id, kind, experiment, targets }
  const state = await processState(injector)
  if (state === 'elsewhere') return { ...about, state, host: injector.host }
  if (state === 'alive' && !isOver(record, clock)) return { ...about, state: 'held' }
  await using slots = await openRecordSlots(path)
  try {
    await clear(recall(faults, record), traceContext(directory, record, clock), budgetMs, signal)
    // It is late, and may inject it yet: its record stays open until it has ended.
    if (state === 'alive') return { ...about, state: 'held' }
    await removeFolder(directory, id)
    await say(slots, 'sweeper', 'closed', clock.now())
    return { ...about, state: 'cleared' }
  } catch (error) {
    signal.throwIfAborted()
    const because = messageOf(error)
    await say(slots, 'sweeper', 'failed', clock.now(), because).catch(() => {})
    const hint = isHoldfastError(error) ? error.hint : undefined
    return { ...about, state: 'failed', because, ...(hint === undefined ? {} : { hint }) }
  }
}

/** The injector is alive, so this is the boot that its monotonic clock counts from. */
function isOver({ deadline }: FaultRecord, clock: Clock): boolean {
  return clock.monotonicMs() >= deadline.monotonicMs
}

/** A record that was being written when a crash came was never relied upon. */
async function removeTorn(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => [])
  for (const name of names) if (/\.record-tmp-/.test(name)) await unlink(join(directory, name)).catch(() => {})
}
