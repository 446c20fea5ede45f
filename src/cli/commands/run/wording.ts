import pc from 'picocolors'
import type { RunEvent } from '../../../durable/index.ts'
import { exitCodes, formatDuration, type ExitCode, type Json } from '../../../kernel/index.ts'
import type { LeftBehind, PlanOutcome, StepReport } from '../../../recovery/index.ts'
import { table } from '../../output/table.ts'
import type { RunSummary } from './summary.ts'

const outcomeTexts: Record<PlanOutcome['status'], string> = {
  succeeded: 'succeeded',
  unverified: 'ended without a check: nothing shows that it works',
  'preflight-failed': 'did not begin: the preflight found blockers',
  'rolled-back': 'failed; what it did was undone',
  'undo-failed': 'failed; not everything was undone',
  stopped: 'stopped; nothing was undone',
}

export function timeText(iso: string): string {
  return iso.replace('T', ' ').slice(0, 19)
}

export function stateText({ state, outcome, waitingFor, error }: RunSummary): string {
  if (outcome !== undefined) return outcome === 'succeeded' ? pc.green(outcome) : pc.red(outcome)
  if (error !== undefined) return pc.red(`failed: ${error.code}`)
  const waits = waitingFor.length === 0 ? '' : ` (waits for ${waitingFor.join(', ')})`
  return state === 'interrupted' ? pc.yellow(`interrupted${waits}`) : `${state}${waits}`
}

/** One line for an event as it happens; undefined for those that say nothing to a person. */
export function eventText(event: RunEvent): string | undefined {
  const line = (text: string) => `${event.at.slice(11, 19)}  ${text}`
  switch (event.type) {
    case 'submitted':
      return line(`run ${event.runId} begins`)
    case 'resumed':
      return line(`resumed by process ${event.pid} on ${event.host}`)
    case 'step-started':
      return line(`${event.step}${event.attempt > 1 ? ` (attempt ${event.attempt})` : ''} …`)
    case 'step-committed':
      return line(`${event.step} ${pc.green('done')} in ${formatDuration(event.elapsedMs)}`)
    case 'step-failed':
      return line(
        `${event.step} ${pc.red('failed')}: ${event.error.message}${event.retryInMs === undefined ? '' : `; again in ${formatDuration(event.retryInMs)}`}`,
      )
    case 'wait-started':
      return line(waitText(event.name))
    case 'signal':
      return line(`${event.name}: answered`)
    case 'cancel-requested':
      return line(`cancelled: ${event.reason}`)
    case 'ended':
      return line(event.result.state === 'failed' ? `the run failed: ${event.result.error.message}` : 'the run has ended')
    case 'wait-ended':
    case 'sleep-started':
    case 'now':
    case 'lock-taken':
    case 'note':
    default:
      return undefined
  }
}

function waitText(name: string): string {
  const [kind, step] = name.split(':')
  if (kind === 'approve') return `${step} waits for an approval: \`holdfast run approve RUN ${step}\``
  if (kind === 'commit') return 'all is back: `holdfast run commit RUN` says that it stays, with --undo that it does not'
  if (kind === 'commit-late') return 'nobody has said so yet: `holdfast run commit RUN`, or --undo'
  if (kind === 'decide') return `${step} waits for a decision: \`holdfast run decide RUN ${step} done|not-done|stop --why TEXT\``
  return `waits for ${name}`
}

/** How a run ended: its steps, what was left behind, where the time went. */
export function outcomeText(outcome: PlanOutcome): string {
  const { status, steps, failure, left, findings, timing } = outcome
  const parts = [
    `${outcome.plan} ${status === 'succeeded' ? pc.green(outcomeTexts[status]) : pc.red(outcomeTexts[status])}`,
    stepsText(steps),
  ]
  // What the preflight found is said below, each blocker with its hint.
  if (failure !== undefined && !findings.some(({ severity }) => severity === 'blocker')) {
    parts.push(`${pc.red('because')} ${failure.step === undefined ? '' : `${failure.step}: `}${failure.error.message}`)
    if (failure.error.hint !== undefined) parts.push(`${pc.bold('HINT:')} ${failure.error.hint}`)
  }
  for (const url of serversLeftRunning(outcome)) parts.push(`the recovered server is at  psql ${shellQuoted(url)}`)
  for (const { step, severity, message, hint } of findings) {
    parts.push(`${severity} in ${step}: ${message}${hint === undefined ? '' : ` (${hint})`}`)
  }
  for (const { step, decision, by, why } of outcome.decisions) {
    parts.push(`${by ?? 'nobody'} said ${step} is ${decision}${why === undefined ? '' : `: ${why}`}`)
  }
  if (left.length > 0) parts.push(`${pc.bold('left behind:')}\n${left.map(leftText).join('\n')}`)
  for (const { repository, failed } of recordsMissing(outcome))
    parts.push(`${pc.red('not on record')} in ${repository}: ${failed}`)
  if (outcome.recordFailure !== undefined) parts.push(`${pc.red('not on record:')} ${outcome.recordFailure.message}`)
  const phases = Object.entries(timing.phases).filter(([, ms]) => ms > 0)
  const split = phases.map(([phase, ms]) => `${phase} ${formatDuration(ms)}`).join(', ')
  parts.push(
    `${formatDuration(timing.rtaMs)} from its onset${split === '' ? '' : `: ${split}`}; ${outcome.checksPassed} checks passed`,
  )
  return parts.join('\n\n')
}

function stepsText(steps: readonly StepReport[]): string {
  return table(
    [
      { title: 'step', value: ({ id }) => id },
      { title: 'action', value: ({ kind }) => kind },
      { title: 'state', value: ({ state, by }) => (by === undefined || by === 'run' ? state : `${state} (by ${by})`) },
      {
        title: 'took',
        align: 'right',
        value: ({ startedAt, endedAt }) =>
          startedAt === undefined || endedAt === undefined ? '' : formatDuration(Date.parse(endedAt) - Date.parse(startedAt)),
      },
    ],
    steps,
  )
}

function leftText({ step, because, message }: LeftBehind): string {
  return `  ${step} (${because}): ${message}`
}

/** Only a checked success that is on record is one. */
export function outcomeExitCode({ status, recordFailure }: PlanOutcome): ExitCode {
  return status === 'succeeded' && recordFailure === undefined ? exitCodes.done : exitCodes.failed
}

/** Where it listens follows from its data directory, which nobody can guess. */
function serversLeftRunning({ status, steps, drill }: PlanOutcome): string[] {
  // That of a sandbox has been stopped.
  if (drill?.cleanUp !== undefined) return []
  if (status !== 'succeeded' && status !== 'unverified') return []
  const urls = steps.flatMap(({ kind, state, output }) => {
    if (!kind.startsWith('postgres.') || state !== 'done') return []
    const { url } = (output ?? {}) as { readonly url?: Json }
    return typeof url === 'string' ? [url] : []
  })
  return [...new Set(urls)]
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** Where the outcome should be on record and is not, though it is elsewhere. */
function recordsMissing({ record }: PlanOutcome): { readonly repository: string; readonly failed: string }[] {
  if (!Array.isArray(record)) return []
  return record.flatMap((entry: Json) => {
    const { repository, failed } = (entry ?? {}) as { readonly repository?: Json; readonly failed?: Json }
    return typeof repository === 'string' && typeof failed === 'string' ? [{ repository, failed }] : []
  })
}
