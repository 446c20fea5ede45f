import type { ExperimentVerdict } from '../verdict.ts'
import { isMap } from './python-values.ts'
import type { CtkJournal, CtkRun, CtkSteadyState } from './types.ts'

export interface CtkOutcome {
  readonly verdict: ExperimentVerdict
  readonly because: readonly string[]
}

/**
 * What the journal of an experiment of Chaos Toolkit shows, by the rules of all experiments: a steady state unmet before is no pass,
 * nor is an action that failed or found nothing to act on (`idle`), and what was seen while it was broken counts.
 */
export function judgeJournal(
  journal: CtkJournal,
  { dry, idle }: { readonly dry: boolean; readonly idle: ReadonlySet<CtkRun> },
): CtkOutcome {
  const { before, during, after } = journal.steady_states
  const leftOver = journal.rollbacks.flatMap((run) => failureOf(run) ?? [])
  if (leftOver.length > 0) return { verdict: 'cleanup-failed', because: leftOver }
  if (journal.status === 'interrupted' || journal.status === 'aborted')
    return { verdict: 'aborted', because: [`it was ${journal.status}`] }
  const open: string[] = []
  if (dry) open.push('it ran dry')
  if (before?.steady_state_met === false) open.push(`it was not steady before: ${unmetProbe(before)}`)
  const looks = [after, ...during].filter((state) => state !== null)
  if (before?.steady_state_met !== false && looks.every(({ steady_state_met: met }) => met === null)) {
    open.push('nobody looked whether it is steady once something was done')
  }
  if (journal.run.length === 0 && before?.steady_state_met !== false) open.push('its method did nothing')
  open.push(
    ...journal.run.flatMap((run) => failureOf(run) ?? (idle.has(run) ? `${run.activity.name} found nothing to act on` : [])),
  )
  if (open.length > 0) return { verdict: 'inconclusive', because: open }
  const first = looks.find(({ steady_state_met: met }) => met === false)
  if (first === undefined) return { verdict: 'pass', because: [] }
  const when = first === after ? 'afterwards' : 'while it was broken'
  return { verdict: 'fail', because: [`it was not steady ${when}: ${unmetProbe(first)}`] }
}

function unmetProbe({ probes }: CtkSteadyState): string {
  return probes.find(({ tolerance_met: met }) => met === false)?.activity.name ?? 'a probe'
}

/** An activity that did not do what it is for: also an action whose program or request says so itself. */
function failureOf({ activity, status, exception, output }: CtkRun): string | undefined {
  if (status === undefined) return `${activity.name} was cut off`
  if (status === 'failed') return `${activity.name} failed: ${(exception?.[0] ?? '').trim()}`
  if (activity.type !== 'action' || !isMap(output) || typeof output.status !== 'number') return undefined
  const { type } = activity.provider
  if (type === 'process' && output.status !== 0) return `${activity.name} ended with exit code ${output.status}`
  return type === 'http' && output.status >= 400 ? `${activity.name} was answered with ${output.status}` : undefined
}
