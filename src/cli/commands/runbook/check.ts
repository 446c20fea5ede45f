import { readFile } from 'node:fs/promises'
import pc from 'picocolors'
import { exitCodes } from '../../../kernel/index.ts'
import { checkRunbook, loadRunCatalog } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { catalogPath } from '../run/open-runs.ts'
import { findingText } from './wording.ts'

export const runbookCheckCommand = command('check', 'fail when a committed runbook no longer says what its plan does', [
  ['holdfast runbook check orders-db RUNBOOK.md', 'exit code 1, and what differs; reads no repository and needs no password'],
])
  .argument('<service>', 'a service of the catalog')
  .argument('<file>', 'the runbook, as Markdown, HTML or PDF; what was measured in it does not count')
  .action(async (service, file, _options, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const findings = checkRunbook(catalog, service, await readFile(file))
    const current = findings.length === 0
    print.result({ service, file, current, findings }, () =>
      current
        ? `${pc.green('✓')} ${file} is what the plan says`
        : [
            ...findings.map((finding) => `${pc.red('✗')} ${findingText(finding, file)}`),
            `${pc.bold('HINT:')} look at what has changed, then \`holdfast runbook ${service} --output ${file}\``,
          ].join('\n'),
    )
    if (!current) process.exitCode = exitCodes.failed
  })
