import pc from 'picocolors'
import type { ExperimentVerdict } from '../../../chaos/index.ts'
import { formatDuration, messageOf, type Json } from '../../../kernel/index.ts'
import type { ExperimentRun, ExperimentStatistics, FinishedExperiment, FinishedFile, PastRuns } from '../../../service/index.ts'

const colours: Readonly<Record<ExperimentVerdict, (text: string) => string>> = {
  pass: pc.green,
  fail: pc.red,
  inconclusive: pc.magenta,
  aborted: pc.yellow,
  'cleanup-failed': pc.red,
}

export function unseenText({ repository, because }: PastRuns['unseen'][number]): string {
  return pc.yellow(`the ledger of ${repository} could not be read: runs may be missing (${because})`)
}

/** An entry of a journal as it comes about; undefined for what is not worth a line. */
export function entryText(entry: Json): string | undefined {
  const { event, run, when, met, key, because } = entry as {
    readonly event: string
    readonly run?: {
      readonly activity: { readonly type: string; readonly name: string }
      readonly status?: string
      readonly exception?: string[]
    }
    readonly when?: string
    readonly met?: boolean
    readonly key?: string
    readonly because?: string
  }
  switch (event) {
    case 'activity-ended': {
      const why = run?.exception?.[0]?.trim()
      return `${run?.activity.type} ${run?.activity.name}: ${run?.status ?? 'cut off'}${why === undefined ? '' : `: ${why}`}`
    }
    case 'steady-state':
      return `steady state ${when}: ${met === true ? 'met' : 'not met'}`
    case 'configuration-not-found':
      return `configuration ${key} could not be found out: ${because}`
    default:
      return undefined
  }
}

export function resultText({ journal, verdict, because, runId, ...kept }: FinishedFile): string {
  const lines = [
    `${pc.bold(journal.experiment.title)}: ${verdictText(verdict)}`,
    ...because.map((reason) => `  ${reason}`),
    ...(runId === undefined ? [] : [pc.dim(`  ${runId}`), ...recordLines(kept)]),
    pc.dim(`Chaos Toolkit would say: ${journal.deviated ? 'deviated' : journal.status}`),
  ]
  return lines.join('\n')
}

function verdictText(verdict: ExperimentVerdict): string {
  return colours[verdict](verdict)
}

export function runState({ state, verdict }: Pick<ExperimentRun, 'state' | 'verdict'>): string {
  return verdict === undefined ? pc.yellow(state) : verdictText(verdict)
}

export function finishedText(
  name: string,
  { verdict, because, recoveryMs, runId, evidence, ...kept }: FinishedExperiment,
): string {
  const back = recoveryMs === undefined || recoveryMs === 0 ? [] : [`  back after ${formatDuration(recoveryMs)}`]
  return [
    `${pc.bold(name)}: ${verdictText(verdict)} ${pc.dim(runId)}`,
    ...because.map((reason) => `  ${reason}`),
    ...back,
    ...drillLines(evidence.drill),
    ...canaryLines(evidence.canary),
    ...recordLines(kept),
  ].join('\n')
}

function drillLines(drill: FinishedExperiment['evidence']['drill']): string[] {
  if (drill === undefined) return []
  const { plan = 'its plan', runId, succeeded, because, phases } = drill
  const parts = [
    ['noticed after', phases?.detectMs],
    ['decided in', phases?.decideMs],
    ['run in', phases?.runMs],
  ] as const
  const times = parts.flatMap(([what, ms]) => (ms === undefined ? [] : [`${what} ${formatDuration(ms)}`]))
  const run = runId === undefined ? 'did not run' : `${succeeded ? 'brought it back' : 'did not bring it back'} (${runId})`
  return [`  ${plan} ${run}${because === undefined ? '' : `: ${because}`}${times.length === 0 ? '' : `; ${times.join(', ')}`}`]
}

function canaryLines(canary: FinishedExperiment['evidence']['canary']): string[] {
  if (canary === undefined) return []
  const { acknowledged, lost, lastAcknowledged, lastSurviving, rpaMs, unknown } = canary
  if (unknown !== undefined) return [`  canary: nobody knows what was lost: ${unknown}`]
  if (lost === 0) return [`  canary: all ${acknowledged} acknowledged rows are there`]
  const between = `up to row ${lastAcknowledged}, after row ${lastSurviving ?? 'none'}`
  return [`  canary: lost ${lost} of ${acknowledged} acknowledged rows (${between}): RPA ${formatDuration(rpaMs ?? 0)}`]
}

type Kept = Pick<FinishedFile, 'ledger' | 'unrecorded' | 'uncounted'>

function recordLines({ ledger, unrecorded, uncounted }: Kept): string[] {
  const isPartial = uncounted === undefined ? [] : [pc.yellow(`  not all runs on record are counted: ${uncounted}`)]
  return [recordLine(ledger, unrecorded), ...isPartial]
}

function recordLine(ledger: FinishedExperiment['ledger'], unrecorded: string | undefined): string {
  if (ledger === undefined) return pc.yellow(`  not on record yet (${unrecorded}): the next run tries again`)
  if (ledger.length === 0) return pc.dim('  in the history of this machine only: the catalog has no repository for its services')
  const failed = ledger.flatMap((place) => ('error' in place ? [`${place.repository} (${messageOf(place.error)})`] : []))
  const there = [...new Set(ledger.flatMap((place) => ('seq' in place ? [place.repository] : [])))]
  const where = there.length === 0 ? pc.yellow('  on record nowhere') : pc.dim(`  on record in ${there.join(', ')}`)
  return failed.length === 0 ? where : `${where}${pc.yellow(`; not in ${failed.join(', ')}: the next run tries again`)}`
}

export function statisticsText({ passRate, recoveryP95 }: ExperimentStatistics): string {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  const { passed, runs, lower, upper } = passRate
  const { atMostMs, runsNeeded } = recoveryP95
  const bound =
    atMostMs === undefined ? `not known before ${runsNeeded} runs that came back` : `at most ${formatDuration(atMostMs)}`
  return pc.dim(
    `passed ${passed} of ${runs} that showed something: between ${percent(lower)} and ${percent(upper)} at 95 %; the p95 of coming back is ${bound}`,
  )
}
