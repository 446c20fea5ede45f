import { HoldfastError } from '../../../kernel/index.ts'
import { draftAsJson, gapsOf, generateExperiments, loadRunCatalog, proposalsAsYaml } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { counted } from '../../output/counted.ts'
import { catalogPath } from '../../catalog-path.ts'
import { unseenText } from './wording.ts'

export const chaosGenerateCommand = command('generate', 'propose experiments that the catalog lacks, the most urgent first', [
  ['holdfast chaos generate', 'YAML for the catalog; what it cannot know is marked REPLACE, and validate names it'],
  ['holdfast chaos generate --service api --limit 3', 'the three that matter most to api'],
])
  .option('--service <name>', 'only those that are about this service')
  .option('--limit <number>', 'at most so many', readLimit)
  .action(async ({ service, limit = Number.POSITIVE_INFINITY }, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const { proposals, leftOut, unseen } = await generateExperiments(catalog, signal)
    const wanted = proposals.filter(({ services }) => service === undefined || services.includes(service)).slice(0, limit)
    print.result(
      {
        proposals: wanted.map((each) => ({ ...each, experiment: draftAsJson(each.experiment), gaps: gapsOf(each) })),
        leftOut,
        unseen,
      },
      () => proposalsAsYaml(wanted, catalog.currency).trimEnd(),
    )
    const gaps = wanted.flatMap(gapsOf)
    if (gaps.length > 0)
      print.note(`${counted(gaps.length, 'value')} marked REPLACE must be filled in: \`holdfast validate\` names them`)
    for (const each of unseen) print.note(unseenText(each))
    if (leftOut.length > 0) {
      print.note(`not proposed, for no experiment can do it yet (--json says why): ${leftOut.map(({ what }) => what).join('; ')}`)
    }
  })

function readLimit(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text)
  throw new HoldfastError('usage', { message: `'${text}' is no number of experiments` })
}
