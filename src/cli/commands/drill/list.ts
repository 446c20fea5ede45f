import pc from 'picocolors'
import { listDrills, loadRunCatalog, type ListedDrill } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { table } from '../../output/table.ts'
import { catalogPath } from '../../catalog-path.ts'
import { durationText } from './wording.ts'

export const drillListCommand = command('list', 'the drills on record, the newest first', [
  ['holdfast drill list', 'of all plans of the catalog'],
  ['holdfast drill list orders-db', 'of the plan of one service, or of one plan'],
])
  .argument('[service-or-plan]', 'only drills of this plan')
  .action(async (name, _options, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const { drills, unseen } = await listDrills(catalog, name, signal)
    print.result({ drills, unseen }, () =>
      [
        drills.length === 0 ? 'no drill yet: `holdfast drill run SERVICE` begins one' : drillsTable(drills),
        ...unseen.map(({ repository, because }) => `${repository} is not counted: ${because}`),
      ].join('\n'),
    )
  })

function drillsTable(drills: readonly ListedDrill[]): string {
  return table(
    [
      { title: 'drill', value: ({ runId }) => runId },
      { title: 'kind', value: ({ mode }) => mode },
      { title: 'began', value: ({ time }) => time.toISOString().slice(0, 16).replace('T', ' ') },
      { title: 'RPA', align: 'right', value: ({ rpaMs }) => durationText(rpaMs) },
      { title: 'RTA', align: 'right', value: ({ rtaMs }) => durationText(rtaMs) },
      { title: 'than before', align: 'right', value: ({ rtaChangeMs }) => changeText(rtaChangeMs) },
      { title: 'findings', align: 'right', value: ({ findings }) => String(findings) },
      { title: 'ended', value: ({ state, verdict }) => stateText(state, verdict) },
    ],
    drills,
  )
}

/** `+3 s`: slower than the drill of the same kind before it. */
export function changeText(ms: number | undefined): string {
  if (ms === undefined) return '-'
  return ms === 0 ? 'same' : `${ms > 0 ? '+' : '−'}${durationText(Math.abs(ms))}`
}

function stateText(state: ListedDrill['state'], verdict: ListedDrill['verdict']): string {
  if (state !== 'completed') return (state === 'failed' ? pc.red : pc.yellow)(state)
  const colour = verdict === 'met' ? pc.green : verdict === 'missed' ? pc.red : pc.magenta
  return colour(`objectives ${verdict}`)
}
