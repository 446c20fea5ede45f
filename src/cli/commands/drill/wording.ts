import pc from 'picocolors'
import { exitCodes, formatDuration, type ExitCode } from '../../../kernel/index.ts'
import {
  isolationText,
  type Achieved,
  type DrillFinding,
  type DrillInput,
  type PlanOutcome,
  type StepFinding,
} from '../../../recovery/index.ts'
import type { DueDrill, PreparedDrill } from '../../../service/index.ts'
import { table } from '../../output/table.ts'
import { outcomeExitCode, outcomeText } from '../run/wording.ts'
import { counted } from '../../output/counted.ts'

/** 1 when the plan failed, left something, or is not on record; 4 when it worked and an objective is missed or unknown. */
export function drillExitCode(outcome: PlanOutcome): ExitCode {
  const { drill } = outcome
  if (outcomeExitCode(outcome) !== exitCodes.done || drill?.cleanUp?.clean === false) return exitCodes.failed
  const met = drill !== undefined && drill.achieved.length > 0 && drill.achieved.every(({ verdict }) => verdict === 'met')
  return met ? exitCodes.done : exitCodes.objectiveMissed
}

/** Why a drill is due, or that it is not. */
export const dueStates: Record<DueDrill['state'], string> = {
  never: 'never drilled',
  failed: 'the last one failed',
  'plan-changed': 'the plan has changed since',
  overdue: 'overdue',
  unknown: 'unknown: a ledger cannot be read',
  soon: 'soon',
  current: 'current',
}

/** What a drill would do. */
export function drillPlanText({ input: { plan }, steps, drill }: PreparedDrill): string {
  const list = table(
    [
      { title: 'step', value: ({ id }) => id },
      { title: 'action', value: ({ kind }) => kind },
      { title: 'after', value: ({ id }) => plan.steps.find((step) => step.id === id)?.after.join(', ') ?? '' },
      { title: 'in this drill', value: ({ id }) => changeOf(drill, id) },
    ],
    steps,
  )
  const skipped = drill.changes
    .filter(({ how }) => how === 'skipped')
    .map(({ step, because }) => `left out: ${step} (${because})`)
  return [`${pc.bold(`${drill.mode} drill of ${plan.name}`)} ${whereText(drill)}`, list, ...skipped].join('\n\n')
}

function changeOf({ changes, sandbox }: DrillInput, step: string): string {
  const change = changes.find((entry) => entry.step === step)
  if (change !== undefined) return `${change.how}: ${change.because}`
  return sandbox?.allowed.steps.includes(step) === true ? 'as it is, outside the sandbox' : 'as it is'
}

/** What kept a drill from production. */
function whereText({ sandbox }: Pick<DrillInput, 'sandbox'>): string {
  if (sandbox === undefined) return 'on the real thing'
  const { folder, network, networkBecause, allowed } = sandbox
  return `in ${folder}: ${isolationText({ network, because: networkBecause, allowed })}`
}

export function findingLines(findings: readonly StepFinding[]): string {
  if (findings.length === 0) return `${pc.green('✓')} the preflight found nothing in the way`
  return findings
    .map(({ severity, step, message, hint }) => {
      const mark = severity === 'blocker' ? pc.red('blocker') : pc.yellow('warning')
      return `${mark} ${step}: ${message}${hint === undefined ? '' : `\n${pc.bold('HINT:')} ${hint}`}`
    })
    .join('\n')
}

/** How a drill ended. */
export function drillText(runId: string, drill: DrillInput, outcome: PlanOutcome): string {
  const parts = [outcomeText(outcome), `${pc.bold('isolation')} ${whereText(drill)}`]
  const { drill: report } = outcome
  if (report === undefined) return parts.join('\n\n')
  parts.push(achievedTable(report.achieved))
  if (report.cleanUp !== undefined) {
    const { clean, kept, problem } = report.cleanUp
    parts.push(
      clean ? (kept === undefined ? 'cleaned up: nothing of it is left' : `kept in ${kept}`) : pc.red(problem ?? 'not clean'),
    )
  }
  parts.push(drillFindingsText(report.findings), pc.dim(`holdfast drill show ${runId}`))
  return parts.join('\n\n')
}

const colours = { met: pc.green, missed: pc.red, unknown: pc.magenta }

export function achievedTable(achieved: readonly Achieved[]): string {
  const rows = achieved.flatMap(({ service, rpo, rto }) => [
    { service, name: 'RPO', ...rpo },
    { service, name: 'RTO', ...rto },
  ])
  return table(
    [
      { title: 'service', value: ({ service }) => service },
      { title: 'objective', value: ({ name }) => name },
      { title: 'declared', align: 'right', value: ({ declaredMs }) => durationText(declaredMs) },
      { title: 'achieved', align: 'right', value: ({ actualMs }) => durationText(actualMs) },
      { title: 'verdict', value: ({ verdict, because }) => `${colours[verdict](verdict)} (${because})` },
    ],
    rows,
  )
}

export function drillFindingsText(findings: readonly Pick<DrillFinding, 'id' | 'message' | 'owner' | 'dueAt'>[]): string {
  if (findings.length === 0) return `${pc.green('✓')} no findings`
  const lines = findings.map(
    ({ id, message, owner, dueAt }) => `  ${pc.yellow(id)}: ${message}\n    ${owner}, until ${dueAt.slice(0, 10)}`,
  )
  return [pc.bold(counted(findings.length, 'finding')), ...lines].join('\n')
}

export function durationText(ms: number | undefined): string {
  return ms === undefined ? '-' : formatDuration(ms)
}
