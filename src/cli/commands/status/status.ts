import { findService, servicesIn } from '../../../catalog/index.ts'
import { exitCodes, HoldfastError } from '../../../kernel/index.ts'
import type { ObjectiveStatus } from '../../../objectives/index.ts'
import { loadRunCatalog, readStatus, type ServiceReport, type StatusReport } from '../../../service/index.ts'
import { catalogPath } from '../../catalog-path.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { environmentOption } from '../../environment-option.ts'
import { table, type Column } from '../../output/table.ts'
import { coloured } from './colours.ts'
import { copiesLines } from './copies.ts'
import { groupHints, groupLines } from './groups.ts'
import { trendLines } from './trend.ts'
import { basisText, durationText, hintLines, maintenanceLines, nextStep } from './wording.ts'

export const statusCommand = command('status', 'could we recover right now, how much would we lose, and how long would it take', [
  ['holdfast status', 'every service of the catalog'],
  ['holdfast status orders-db', 'one of them, with its copies and what each month achieved'],
  ['holdfast status --environment production', 'those of one environment'],
  ['holdfast status --json', 'for a program; exit code 4 when an objective is missed or unknown'],
])
  .argument('[services...]', 'only these services')
  .addOption(environmentOption())
  .action(async (names, { environment }, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    for (const name of names) findService(catalog, name)
    if (names.length > 0 && environment !== undefined)
      throw new HoldfastError('usage', { message: 'give either services or --environment' })
    const asked = names.length > 0 ? { services: names, trends: true } : { services: servicesIn(catalog, environment) }
    const report = await readStatus(catalog, asked, signal)
    print.result(print.json ? asJson(report) : report, () => statusText(report, names.length > 0))
    if (report.verdict === 'missed' || report.verdict === 'unknown') process.exitCode = exitCodes.objectiveMissed
  })

/** The report, with the next step of each objective in words. */
function asJson({ services, ...report }: StatusReport): unknown {
  const withNext = (service: ServiceReport, status: ObjectiveStatus) => {
    const next = nextStep(service, status)
    return next === undefined ? status : { ...status, next }
  }
  return {
    ...report,
    services: services.map((service) => ({
      ...service,
      rpo: withNext(service, service.rpo),
      rto: withNext(service, service.rto),
    })),
  }
}

function objectiveColumns(name: 'rpo' | 'rto', actual: string): Column<ServiceReport>[] {
  return [
    { title: name.toUpperCase(), value: (row) => declaredText(row, name), align: 'right' },
    { title: actual, value: (row) => durationText(row[name].actualMs), align: 'right' },
    { title: 'basis', value: (row) => basisText(row[name]) },
    { title: 'verdict', value: (row) => coloured(row[name].verdict) },
  ]
}

/** `15 min`, or `15 min*` where it is that of its tier. */
function declaredText(row: ServiceReport, name: 'rpo' | 'rto'): string {
  return `${durationText(row[name].declaredMs)}${row.declaredBy[name] === 'tier' ? '*' : ''}`
}

/** `explained`: with the copies and the trend of each. */
function statusText({ catalog, services, groups, trendUnseen = [] }: StatusReport, explained: boolean): string {
  if (services.length === 0) return `${catalog.file} names no service: there is nothing to recover, and nothing is known.`
  const columns: Column<ServiceReport>[] = [
    { title: 'service', value: ({ service }) => service },
    { title: 'tier', value: ({ tier }) => (tier === undefined ? '-' : String(tier)), align: 'right' },
    ...objectiveColumns('rpo', 'would lose'),
    ...objectiveColumns('rto', 'would take'),
  ]
  const hints = [...hintLines(services), ...groupHints(groups)]
  const byTier = services.some(({ declaredBy }) => declaredBy.rpo === 'tier' || declaredBy.rto === 'tier')
  return [
    table(columns, services),
    ...(byTier ? ['* that of its tier'] : []),
    ...maintenanceLines(services),
    ...groupLines(groups),
    ...(explained ? services.flatMap((service) => [...copiesLines(service), ...trendLines(service)]) : []),
    ...trendUnseen.map(({ repository, because }) => `months may lack runs: ${repository}: ${because}`),
    ...(hints.length > 0 ? ['', ...hints] : []),
  ].join('\n')
}
