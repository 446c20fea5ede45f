import { formatDuration } from '../../../kernel/index.ts'
import type { GroupReport } from '../../../service/index.ts'
import { table } from '../../output/table.ts'
import { coloured } from './colours.ts'
import { durationText } from './wording.ts'

/** The groups' own table, and why one is not met. */
export function groupLines(groups: readonly GroupReport[]): string[] {
  if (groups.length === 0) return []
  const rows = table<GroupReport>(
    [
      { title: 'group', value: ({ group }) => group },
      { title: 'members', value: ({ members }) => String(members.length), align: 'right' },
      { title: 'RPO', value: ({ declaredMs }) => formatDuration(declaredMs), align: 'right' },
      { title: 'would lose', value: ({ actualMs }) => durationText(actualMs), align: 'right' },
      { title: 'apart', value: ({ spreadMs }) => durationText(spreadMs), align: 'right' },
      { title: 'basis', value: ({ basis }) => basis },
      { title: 'verdict', value: ({ verdict }) => coloured(verdict) },
      { title: 'worst', value: ({ worst = '-' }) => worst },
    ],
    groups,
  )
  return ['', rows, ...groups.flatMap(targetLines)]
}

/** How the members are brought to the states that were counted. */
function targetLines({ group, recoverWith }: GroupReport): string[] {
  if (recoverWith.length === 0) return []
  const each = recoverWith.map(({ service, to }) => `${service} --to ${to === 'latest' ? to : to.toISOString()}`)
  return [`${group} together, by \`holdfast recover\`: ${each.join(', ')}`]
}

export function groupHints(groups: readonly GroupReport[]): string[] {
  return groups.flatMap((report) => (report.verdict === 'met' ? [] : [groupText(report)]))
}

/** `group checkout: RPO is at-risk: …`. */
export function groupText(report: GroupReport): string {
  return `group ${report.group}: RPO is ${report.verdict}: ${because(report)}`
}

function because({ because, worst, unknown, doubtful, allowedSpreadMs = 0, recoverableTo, goBack }: GroupReport): string {
  const to = `its newest common point is ${recoverableTo?.toISOString()}, by ${worst}`
  const back = goBack.length === 0 ? '' : `; ${goBack.join(', ')} would go back with it`
  switch (because) {
    case 'not-known-of-all':
      return `nobody knows what ${unknown.join(', ')} can be brought back to`
    case 'too-far-apart':
      return `its members have no states within ${formatDuration(allowedSpreadMs)} of each other: back them up together, or archive WAL`
    case 'not-proven-of-all':
      return 'not all of its members were restored and compared'
    case 'incomplete-snapshot':
      return `the backups of ${doubtful.join(', ')} that it comes back to lack files that could not be read`
    case 'wal-not-archived':
      return `the catalog declares WAL of ${doubtful.join(', ')}, and none reaches on from a backup`
    case 'above-objective':
      return `${to}${back}`
    case 'near-objective':
      return `above 80 % of the objective: ${to}${back}`
    default:
      return 'within the objective'
  }
}
