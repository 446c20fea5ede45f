import { Option } from '@commander-js/extra-typings'
import pc from 'picocolors'
import { strategyMatrix, type MatrixCell, type StrategyMatrix } from '../../../objectives/index.ts'
import { matrixOf, matrixSvg } from '../../../service/index.ts'
import { formatDuration } from '../../../kernel/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { table } from '../../output/table.ts'
import { strategiesHere } from './strategies-here.ts'

export const strategyMatrixCommand = command('matrix', 'RPO × RTO: the cheapest strategy for each, with the services in it', [
  ['holdfast strategy matrix', 'in the terminal'],
  ['holdfast strategy matrix --format svg > matrix.svg', 'as a picture'],
  ['holdfast strategy matrix --json', 'for a program'],
])
  .addOption(new Option('--format <format>', 'as text, or as a picture').choices(['text', 'svg']).default('text'))
  .action(async ({ format }, self) => {
    const { globals, print, signal } = contextOf(self)
    const { catalog, strategies } = await strategiesHere(globals, signal)
    const matrix = catalog === undefined ? strategyMatrix(strategies, []) : matrixOf(catalog)
    print.result(matrix, () => (format === 'svg' ? matrixSvg(matrix) : matrixText(matrix)))
  })

function matrixText(matrix: StrategyMatrix): string {
  if (matrix.rows.length === 0) return 'the catalog has no strategy that is available'
  const placed = matrix.rows.flat().filter(({ services }) => services.length > 0)
  const list = table(
    [
      { title: 'RTO \\ RPO', align: 'right', value: (row: readonly MatrixCell[]) => pc.bold(formatDuration(row[0]?.rtoMs ?? 0)) },
      ...matrix.rpoMs.map((ms, column) => ({
        title: formatDuration(ms),
        value: (row: readonly MatrixCell[]) => cellText(row[column]),
      })),
    ],
    matrix.rows,
  )
  return [
    list,
    ...(placed.length === 0 ? [] : ['']),
    ...placed.map(
      ({ services, strategy, rpoMs, rtoMs }, index) =>
        `${mark(index)} RPO ${formatDuration(rpoMs)}, RTO ${formatDuration(rtoMs)}: ${services.join(', ')} (${strategy?.title ?? 'no strategy'})`,
    ),
    ...(matrix.outside.length === 0 ? [] : ['', pc.red(`no strategy is strict enough for ${matrix.outside.join(', ')}`)]),
  ].join('\n')

  function cellText(cell: MatrixCell | undefined): string {
    if (cell === undefined) return ''
    const title = cell.strategy?.title ?? pc.dim('none')
    return cell.services.length === 0 ? title : `${title} ${pc.cyan(mark(placed.indexOf(cell)))}`
  }
}

/** What a cell with services is called below the table. */
function mark(index: number): string {
  return `[${index + 1}]`
}
