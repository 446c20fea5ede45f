import pc from 'picocolors'
import { formatSize } from '../../../kernel/index.ts'
import { loadRunCatalog, serviceDivergence, type DivergenceReport } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { table, type Column } from '../../output/table.ts'
import { catalogPath } from '../../catalog-path.ts'

export const divergenceCommand = command(
  'divergence',
  'show what a server has that another has not: what a rewind or a failover would lose',
  [
    ['holdfast postgres divergence orders', 'after a failover: what the old primary has and the new one has not'],
    ['holdfast postgres divergence orders --against west', 'before one: what would be lost if west took over now'],
    ['holdfast postgres divergence orders --of west --against primary --json', 'of another server; every transaction, as JSON'],
  ],
)
  .argument('<service>', 'a service of the catalog')
  .option('--of <server>', 'whose WAL is read; its data directory must be on this machine. Default: primary')
  .option('--against <server>', 'with which it is compared, by SQL. Default: the other one that leads, else the only standby')
  .addHelpText(
    'after',
    `
It only reads. The server whose WAL it is may be stopped or running; the other one must answer. Rows are counted in the write-ahead log: of tables,
without the server's own catalogs. Where 'complete' is false, WAL is gone from the disk, and more may be lost than is shown.`,
  )
  .action(async (service, { of, against }, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const request = { catalog, service, ...(of === undefined ? {} : { of }), ...(against === undefined ? {} : { against }) }
    print.result(await serviceDivergence(request, signal), divergenceText)
  })

type Changes = DivergenceReport['tables'][number]

const tableColumns: readonly Column<Changes>[] = [
  { title: 'database', value: ({ database }) => database },
  { title: 'table', value: (one) => one.table },
  { title: 'inserted', value: ({ inserted }) => String(inserted), align: 'right' },
  { title: 'updated', value: ({ updated }) => String(updated), align: 'right' },
  { title: 'deleted', value: ({ deleted }) => String(deleted), align: 'right' },
]
const shownTransactions = 20

function divergenceText(report: DivergenceReport): string {
  const { of, against, relation, bytes, fromLsn, toLsn, timeline, commits, complete, transactions } = report
  const missing = complete ? [] : [pc.red('WAL is missing: more may be lost than is shown')]
  if (bytes === 0 && complete) return `${pc.green('✓')} ${of} has nothing that ${against} has not`
  const lines = [
    relation === 'forked'
      ? `${of} went on after ${against} had taken over: ${formatSize(bytes)} of WAL on timeline ${timeline}, from ${fromLsn} to ${toLsn}`
      : `if ${against} took over now, ${formatSize(bytes)} of WAL would be lost, from ${fromLsn} to ${toLsn}`,
    `${pc.bold(String(commits))} committed ${commits === 1 ? 'transaction' : 'transactions'}${report.firstCommitAt === undefined ? '' : `, from ${report.firstCommitAt} to ${report.lastCommitAt}`}; ${report.unfinished} not committed`,
    ...missing,
  ]
  if (report.tables.length > 0) lines.push('', table(tableColumns, report.tables))
  if (report.catalogRows > 0) lines.push('', `definitions were changed too (${report.catalogRows} rows of the catalogs)`)
  if (transactions.length > 0) {
    lines.push('', ...transactions.slice(0, shownTransactions).map(transactionText))
    if (commits > shownTransactions)
      lines.push(`… and ${commits - shownTransactions} more: --json lists up to ${transactions.length}`)
  }
  return lines.join('\n')
}

function transactionText({ xid, committedAt, tables }: DivergenceReport['transactions'][number]): string {
  const changes = tables.map((one) => `${one.table} +${one.inserted} ~${one.updated} -${one.deleted}`).join(', ')
  return `${committedAt}  ${xid}  ${changes === '' ? 'no rows of a table' : changes}`
}
