import { formatDuration } from '../../kernel/index.ts'
import type { PlanOutcome, StepReport } from '../outcome.ts'
import type { StepTime } from '../runbook/evidence.ts'
import type { DrillChange } from './input.ts'
import type { Achieved, DrillCleanUp, DrillFinding } from './report.ts'

export interface DrillFacts {
  readonly plan: string
  readonly outcome: PlanOutcome
  readonly changes: readonly DrillChange[]
  readonly achieved: readonly Achieved[]
  readonly cleanUp: DrillCleanUp | undefined
  /** How long each step usually takes. */
  readonly usual: ReadonlyMap<string, StepTime>
}

export type Found = Omit<DrillFinding, 'owner' | 'dueAt'>

/** Slower than this many times its median is slow, unless it is only this much longer, or too few runs say what is usual. */
const slowFactor = 2
const slowAtLeastMs = 5000
const usualAfterRuns = 3

/** Everything about a drill that somebody must deal with. What was not done as in a recovery is not proven, and that is a finding too. */
export function findingsOf({ plan, outcome, changes, achieved, cleanUp, usual }: DrillFacts): Found[] {
  const find = (
    code: DrillFinding['code'],
    about: string,
    message: string,
    more: Pick<Found, 'step' | 'service'> = {},
  ): Found => ({
    id: `${plan}/${code}/${about}`,
    code,
    message,
    ...more,
  })
  const preflight = outcome.status === 'preflight-failed' ? outcome.findings.filter(({ severity }) => severity === 'blocker') : []
  return [
    ...preflight.map(({ step, message }) => find('preflight', step, message, { step })),
    ...outcome.steps.flatMap((step) => stepFindings(step, usual.get(step.id), find)),
    ...changes.flatMap(({ step, how, because }) => {
      if (how === 'skipped') return [find('step-skipped', step, `left out, so not proven: ${because}`, { step })]
      if (how === 'replaced') return [find('step-replaced', step, `not proven: the drill did ${because}`, { step })]
      return how === 'answered' ? [find('step-answered', step, `not proven: ${because}`, { step })] : []
    }),
    ...achieved.flatMap(({ service, rpo, rto }) =>
      [rpo, rto].flatMap(({ verdict, because, declaredMs, actualMs }, index) => {
        if (verdict === 'met') return []
        const name = index === 0 ? 'RPO' : 'RTO'
        const figures = `${duration(actualMs)} against ${duration(declaredMs)}`
        const code = verdict === 'missed' ? 'objective-missed' : 'objective-unknown'
        return [
          find(code, `${service}-${name.toLowerCase()}`, `${name} of ${service} is ${verdict} (${because}): ${figures}`, {
            service,
          }),
        ]
      }),
    ),
    ...(cleanUp === undefined || cleanUp.clean
      ? []
      : [find('clean-up-failed', 'sandbox', `the sandbox was not cleaned up: ${cleanUp.problem ?? 'something is left'}`)]),
  ]
}

function stepFindings(
  { id: step, state, error, by, ...times }: StepReport,
  usual: StepTime | undefined,
  find: (code: DrillFinding['code'], about: string, message: string, more: Pick<Found, 'step'>) => Found,
): Found[] {
  const why = error?.message ?? 'it did not say why'
  if (state === 'failed') return [find('step-failed', step, why, { step })]
  if (state === 'tolerated') return [find('step-tolerated', step, `failed, and the plan went on: ${why}`, { step })]
  if (state === 'unknown') return [find('step-unknown', step, why, { step })]
  // What was undone had failed, or worked until another failed: the other one has its finding.
  if (state === 'undone' && error !== undefined) return [find('step-failed', step, why, { step })]
  const tookMs = durationOf(times)
  if (state !== 'done' || by !== 'run' || usual === undefined || tookMs === undefined) return []
  if (usual.runs < usualAfterRuns) return []
  if (tookMs <= usual.medianMs * slowFactor || tookMs - usual.medianMs < slowAtLeastMs) return []
  const usually = `usually ${formatDuration(Math.round(usual.medianMs))} (${usual.runs} runs)`
  return [find('step-slow', step, `took ${formatDuration(tookMs)}, ${usually}`, { step })]
}

function durationOf({ startedAt, endedAt }: Pick<StepReport, 'startedAt' | 'endedAt'>): number | undefined {
  return startedAt === undefined || endedAt === undefined ? undefined : Date.parse(endedAt) - Date.parse(startedAt)
}

function duration(ms: number | undefined): string {
  return ms === undefined ? 'unknown' : formatDuration(ms)
}
