import { readFile } from 'node:fs/promises'
import pc from 'picocolors'
import { exitCodes, HoldfastError } from '../../../kernel/index.ts'
import { checkRunbook, loadRunCatalog } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { catalogPath } from '../../catalog-path.ts'
import { findingText } from './wording.ts'

export const runbookCheckCommand = command('check', 'fail when a committed runbook no longer says what its plan does', [
  ['holdfast runbook check orders-db RUNBOOK.md', 'exit code 1, and what differs; reads no repository and needs no password'],
  ['holdfast runbook check --plan orders-failback FAILBACK.md', 'that of another plan'],
])
  .usage('SERVICE FILE | [SERVICE] --plan PLAN FILE')
  .argument('<names...>', 'a service of the catalog, and the runbook, as Markdown, HTML or PDF; what was measured does not count')
  .option('--plan <name>', 'it is the runbook of another plan that recovers the service; then the service need not be given')
  .action(async (names, { plan }, self) => {
    const { globals, print, signal } = contextOf(self)
    const { service, file } = namesIn(names, plan)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const findings = checkRunbook(catalog, { service, plan }, await readFile(file))
    const current = findings.length === 0
    const of = { ...(service === undefined ? {} : { service }), ...(plan === undefined ? {} : { plan }) }
    const again = [service, plan === undefined ? undefined : `--plan ${plan}`].filter((word) => word !== undefined).join(' ')
    print.result({ ...of, file, current, findings }, () =>
      current
        ? `${pc.green('✓')} ${file} is what the plan says`
        : [
            ...findings.map((finding) => `${pc.red('✗')} ${findingText(finding, file)}`),
            `${pc.bold('HINT:')} look at what has changed, then \`holdfast runbook ${again} --output ${file}\``,
          ].join('\n'),
    )
    if (!current) process.exitCode = exitCodes.failed
  })

function namesIn(names: readonly string[], plan: string | undefined): { service: string | undefined; file: string } {
  const [first, second, ...more] = names
  if (first !== undefined && second !== undefined && more.length === 0) return { service: first, file: second }
  if (first !== undefined && second === undefined && plan !== undefined) return { service: undefined, file: first }
  throw new HoldfastError('usage', {
    message: second === undefined ? 'the runbook’s file, or its service, is missing' : 'there are too many names',
    hint: '`holdfast runbook check SERVICE FILE`, or `holdfast runbook check --plan PLAN FILE`',
  })
}
