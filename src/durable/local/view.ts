import type { RunEvent } from '../events.ts'
import type { RunState, RunView } from '../engine.ts'
import { Recorded } from './recorded.ts'

/** What a run's events, and whether a live process has its journal, say about it. */
export function viewOf(
  events: readonly [RunEvent & { type: 'submitted' }, ...RunEvent[]],
  owner: { readonly pid: number; readonly host: string } | undefined,
): RunView {
  const [{ runId, planHash, codeVersion, input, at }] = events
  const recorded = new Recorded()
  for (const event of events) recorded.apply(event)
  const ended = events.find((event) => event.type === 'ended')
  const waitingFor =
    ended === undefined
      ? [...recorded.waits]
          .filter(([, { started, end }]) => started !== undefined && end === undefined)
          .map(([name, { started }]) => ({ name, ...(started?.untilMs === undefined ? {} : { untilMs: started.untilMs }) }))
      : []
  const liveState: RunState = owner === undefined ? 'interrupted' : waitingFor.length > 0 ? 'waiting' : 'running'
  return {
    runId,
    planHash,
    codeVersion,
    input,
    submittedAt: at,
    state: ended?.result.state ?? liveState,
    waitingFor,
    records: events.length,
    ...(ended === undefined ? {} : { endedAt: ended.at, result: ended.result }),
    ...(recorded.cancelReason === undefined ? {} : { cancelRequested: recorded.cancelReason }),
    ...(owner === undefined || ended !== undefined ? {} : { owner }),
  }
}
