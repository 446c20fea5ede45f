import pc from 'picocolors'
import { exitCodes, HoldfastError } from '../../../kernel/index.ts'
import { closeFinding, drillFindings, loadRunCatalog, type KnownFinding } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { table } from '../../output/table.ts'
import { catalogPath } from '../../catalog-path.ts'

export const drillFindingsCommand = command('findings', 'what drills have found, who answers for it, and until when', [
  ['holdfast drill findings', 'all that is open; exit code 4 when one is past its date'],
  ['holdfast drill findings --close step-slow/restore --why "faster disks"', 'say that it is dealt with; that is on record'],
])
  .argument('[service-or-plan]', 'only of this plan')
  .option('--all', 'closed ones too')
  .option('--close <finding>', 'the finding that is dealt with: its id, or the end of it')
  .option('--why <text>', 'with --close: what was done, or why it is accepted')
  .option('--by <name>', 'with --close: who says so; without it, the user that runs this')
  .action(async (name, { all, close, why, by }, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    if (close !== undefined) {
      if (why === undefined)
        throw new HoldfastError('usage', { message: 'a finding is closed for a reason', hint: 'give it with --why' })
      const closed = await closeFinding({ catalog, finding: close, why, ...(by === undefined ? {} : { by }) }, signal)
      print.result(closed, () => `${closed.id} closed by ${closed.closed?.by}: ${why}`)
      return
    }
    const { findings, unseen } = await drillFindings(catalog, name, signal)
    const shown = all === true ? findings : findings.filter(({ closed }) => closed === undefined)
    const now = new Date()
    const late = shown.filter(({ closed, dueAt }) => closed === undefined && Date.parse(dueAt) < now.getTime())
    print.result({ findings: shown, late: late.length, unseen }, () =>
      [
        shown.length === 0 ? `${pc.green('✓')} nothing is open` : findingsTable(shown, now),
        ...unseen.map(({ repository, because }) => `${repository} is not counted: ${because}`),
      ].join('\n'),
    )
    if (late.length > 0) process.exitCode = exitCodes.objectiveMissed
  })

function findingsTable(findings: readonly KnownFinding[], now: Date): string {
  return table(
    [
      { title: 'finding', value: ({ id }) => id },
      { title: 'owner', value: ({ owner }) => owner },
      { title: 'until', value: ({ dueAt, closed }) => untilText(dueAt, closed !== undefined, now) },
      {
        title: 'what',
        value: ({ message, closed }) => (closed === undefined ? message : `closed by ${closed.by}: ${closed.why}`),
      },
    ],
    findings,
  )
}

function untilText(dueAt: string, isClosed: boolean, now: Date): string {
  const day = dueAt.slice(0, 10)
  return !isClosed && Date.parse(dueAt) < now.getTime() ? pc.red(day) : day
}
