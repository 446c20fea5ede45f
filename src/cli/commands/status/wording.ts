import type { OpenMaintenance } from '../../../catalog/index.ts'
import { formatDuration, shortId } from '../../../kernel/index.ts'
import type { DependencyStatus, ObjectiveStatus, Reason, StatusFinding } from '../../../objectives/index.ts'
import type { ServiceReport } from '../../../service/index.ts'
import { counted } from '../../output/counted.ts'

/** Why a verdict is what it is, as the end of "RPO is unknown: …". */
const reasons: Record<Reason, string> = {
  'within-objective': 'within the objective',
  'near-objective': 'above 80 % of the objective',
  'above-objective': 'above the objective',
  'not-declared': 'no objective is declared',
  'no-data': 'neither the service nor one that it depends on declares data',
  'no-snapshot': 'there is no backup',
  'repository-unseen': 'its repository could not be looked into, and no backup is seen elsewhere',
  'only-future-dated': 'all its backups are dated in the future',
  'repository-damaged': 'the last check of its repository found damage',
  'incomplete-snapshot': 'the newest backup lacks files that could not be read',
  'wal-not-archived': 'the catalog declares WAL, and none reaches on from a backup',
  'not-recoverable': 'there is nothing to recover from',
  'never-restored': 'it was backed up, but never restored and compared',
  'never-recovered': 'its plan was never run',
  'no-plan': 'it has no recovery plan',
  'proof-too-old': 'the last proof is older than 90 days',
  'plan-changed': 'the plan has changed since it was last run',
  'last-recovery-failed': 'the last run of its plan failed',
  'nothing-was-checked': 'its plan was run, but checked nothing',
  'estimated-from-restore': 'only restores were measured, not the whole plan',
}

/** A line for each window that is open, with its services. */
export function maintenanceLines(services: readonly ServiceReport[]): string[] {
  const open = Map.groupBy(
    services.flatMap(({ service, maintenance }) => (maintenance ? [{ service, text: maintenanceText(maintenance) }] : [])),
    ({ text }) => text,
  )
  return [...open].map(
    ([text, of]) => `${of.map(({ service }) => service).join(', ')}: ${text}; the verdicts are what they are without it`,
  )
}

/** `in announced maintenance (kernel updates) until 2026-12-06T04:00:00.000Z`. */
export function maintenanceText({ title, until }: OpenMaintenance): string {
  return `in announced maintenance (${title}) until ${until.toISOString()}`
}

export function reasonText({ because }: ObjectiveStatus): string {
  return reasons[because]
}

/** One line for each objective that is not met, with the next step where there is one; then what is wrong with the evidence, each once. */
export function hintLines(services: readonly ServiceReport[]): string[] {
  const verdicts = services.flatMap((report) =>
    (['rpo', 'rto'] as const).flatMap((name) => {
      const status = report[name]
      // Without a backup the RPO's line says all there is to say.
      if (status.verdict === 'met' || status.because === 'not-recoverable') return []
      const next = nextStep(report, status)
      const because = `${report.service}: ${name.toUpperCase()} is ${status.verdict}: ${reasons[status.because]}`
      return [next === undefined ? because : `${because}; ${next}`]
    }),
  )
  const chains = services.flatMap(({ service, withDependencies: chain }) =>
    chain === undefined || chain.verdict === 'met'
      ? []
      : [`${service}: RTO is ${chain.verdict} with all that it depends on: ${chainText(chain)}`],
  )
  return [...verdicts, ...chains, ...new Set(services.flatMap(({ findings }) => findings.map(findingText)))]
}

/** What to run, or to change, for a better answer next time. */
export function nextStep({ service, plan, rpo, recoverableTo }: ServiceReport, status: ObjectiveStatus): string | undefined {
  const { because, about } = status
  const holder = about?.service ?? service
  const recover = plan === undefined ? undefined : `run \`holdfast drill run ${service}\`: the plan, in a sandbox`
  switch (because) {
    case 'near-objective':
    case 'above-objective':
      if (status !== rpo) return undefined
      return about?.byWal === true
        ? `its WAL reaches to ${recoverableTo?.toISOString()}: look whether \`holdfast postgres receive-wal ${holder}\` runs`
        : `run \`holdfast backup --service ${holder}\`, and more often`
    case 'no-snapshot':
    case 'only-future-dated':
    case 'incomplete-snapshot':
    case 'not-recoverable':
      return `run \`holdfast backup --service ${holder}\``
    case 'wal-not-archived':
      return `start \`holdfast postgres receive-wal ${holder}\``
    case 'repository-damaged':
      return 'run `holdfast check --read-data`'
    case 'no-plan':
      return `add one to the catalog, and name it with \`recovery:\` under services.${service}`
    case 'no-data':
      return `say what it holds with \`data:\`, or who does with \`dependsOn:\`, under services.${service}`
    case 'last-recovery-failed':
      return '`holdfast run list` shows what went wrong'
    case 'never-restored':
      if (recover !== undefined && about?.kind === 'postgres') return recover
      return `run \`holdfast restore latest --tag service:${holder} --target DIR --verify\``
    case 'never-recovered':
    case 'proof-too-old':
    case 'plan-changed':
    case 'nothing-was-checked':
    case 'estimated-from-restore':
      return recover
    default:
      return undefined
  }
}

/** What is wrong with the evidence. */
export function findingText(finding: StatusFinding): string {
  switch (finding.code) {
    case 'future-dated':
      return `snapshot ${shortId(finding.snapshot)} in ${finding.repository} is dated in the future (${finding.time.toISOString()}) and not counted: set that machine’s clock`
    case 'future-dated-record':
      return `a record${finding.record ? `, number ${finding.record.seq} in the ledger of ${finding.record.repository},` : ''} is dated in the future (${finding.time.toISOString()}) and not counted`
    case 'wal-gap':
      return `WAL is missing in ${finding.repository} from ${finding.from}${finding.to === undefined ? '' : ` to ${finding.to}`}: recovery ends there; take a new backup`
    default:
      return `${finding.repository} is not counted: ${finding.because}`
  }
}

/** `45 min along payments (assumed) → api`, or what is not known. */
export function chainText({ atLeastMs, path, unknown, assumed, because }: DependencyStatus): string {
  const along = `${formatDuration(atLeastMs)} along ${path.map((name) => (assumed.includes(name) ? `${name} (assumed)` : name)).join(' → ')}`
  if (because === 'not-known-of-all')
    return `nobody knows the time of ${unknown.slice(0, 5).join(', ')}${unknown.length > 5 ? ', …' : ''}`
  const not = unknown.length === 0 ? '' : `, and nobody knows the time of ${unknown.slice(0, 5).join(', ')}`
  return because === 'not-measured-of-all' ? `${along}, not all of it measured` : `${along}${not}`
}

/** `3 s`, or `-` for what nobody knows. */
export function durationText(ms: number | undefined): string {
  return ms === undefined ? '-' : formatDuration(ms)
}

/** `measured (drill 2026-11-26, without 1 step)`: of what is known by running the plan, when that was and whether it was on purpose. */
export function basisText({ basis, measured }: ObjectiveStatus): string {
  if (measured === undefined) return basis
  const { at, drill } = measured
  const kind = drill === undefined ? '' : drill.mode === 'live' ? 'live drill ' : 'drill '
  const without = drill === undefined || drill.unproven === 0 ? '' : `, without ${counted(drill.unproven, 'step')}`
  return `${basis} (${kind}${at.toISOString().slice(0, 10)}${without})`
}
