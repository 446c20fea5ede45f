import pc from 'picocolors'
import { exitCodes, formatDuration } from '../../../kernel/index.ts'
import { drillsDue, loadRunCatalog, type DueDrill, type DueReport } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { table } from '../../output/table.ts'
import { catalogPath } from '../../catalog-path.ts'
import { dueStates } from './wording.ts'

export const drillDueCommand = command('due', 'which drills are overdue, and which is next', [
  ['holdfast drill due', 'every plan of the catalog; exit code 4 when one is overdue'],
  ['holdfast drill due --json', 'for a program, such as one that sends reminders'],
]).action(async (_options, self) => {
  const { globals, print, signal } = contextOf(self)
  const catalog = await loadRunCatalog(catalogPath(globals), signal)
  const report = await drillsDue(catalog, {}, signal)
  print.result(report, () => dueText(report))
  // Without a plan there is nothing that could have been drilled: that is no good news.
  if (report.drills.length === 0 || report.drills.some(({ overdue }) => overdue)) process.exitCode = exitCodes.objectiveMissed
})

function dueText({ drills, unseen, time }: DueReport): string {
  if (drills.length === 0) return 'the catalog has no plan that could be drilled: nothing shows that anything can be recovered'
  const list = table(
    [
      { title: 'plan', value: ({ plan }) => plan },
      { title: 'drill', value: ({ kind }) => (kind === 'live' ? 'live (gameday)' : 'sandbox') },
      { title: 'last', value: ({ last }) => (last === undefined ? '-' : last.at.toISOString().slice(0, 10)) },
      { title: 'due', value: (drill) => dueIn(drill, time) },
      {
        title: 'state',
        value: ({ state, overdue }) => (overdue ? pc.red : state === 'soon' ? pc.yellow : pc.green)(dueStates[state]),
      },
    ],
    drills,
  )
  const next = drills.find(({ overdue }) => overdue)
  return [
    list,
    ...unseen.map(({ repository, because }) => `${repository} is not counted: ${because}`),
    ...(next === undefined ? [] : [`\`holdfast drill run ${next.plan}${next.kind === 'live' ? ' --live' : ''}\` is due`]),
  ].join('\n')
}

function dueIn({ dueAt, state }: DueDrill, now: Date): string {
  if (dueAt === undefined || state === 'failed' || state === 'plan-changed') return 'now'
  const leftMs = dueAt.getTime() - now.getTime()
  return leftMs <= 0 ? `${formatDuration(-leftMs)} ago` : `in ${formatDuration(leftMs)}`
}
