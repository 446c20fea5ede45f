import { Option } from '@commander-js/extra-typings'
import { writeFileDurably } from '../../../kernel/index.ts'
import { gamedayFormats, renderGameday } from '../../../recovery/index.ts'
import { gamedayOf, loadRunCatalog } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { catalogPath } from '../../catalog-path.ts'

export const drillShowCommand = command('show', 'the record of a drill: who, what, when, how long, and what was found', [
  ['holdfast drill show', 'the newest drill'],
  ['holdfast drill show latest --format md --output gameday.md', 'for the meeting afterwards'],
])
  .argument('[run]', 'its id, the beginning of it, or latest', 'latest')
  .addOption(new Option('--format <format>', 'text, md or html').choices(gamedayFormats).default('text' as const))
  .option('--output <file>', 'write it there instead; a file that is there is replaced')
  .action(async (run, { format, output }, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const facts = await gamedayOf(catalog, run, signal)
    const text = renderGameday(facts, format)
    if (output !== undefined) await writeFileDurably(output, text, { mode: 0o644 })
    print.result({ ...facts, ...(output === undefined ? {} : { output }) }, () =>
      output === undefined ? text : `${output} is the record of ${facts.runId}`,
    )
  })
