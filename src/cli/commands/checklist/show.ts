import pc from 'picocolors'
import { servicesIn } from '../../../catalog/index.ts'
import { exitCodes } from '../../../kernel/index.ts'
import { checkReadiness, loadRunCatalog } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { environmentOption } from '../../environment-option.ts'
import { contextOf } from '../../context.ts'
import { catalogPath } from '../../catalog-path.ts'
import { checklistText } from './wording.ts'

export const checklistShowCommand = command('show', 'the checklist (`holdfast checklist` is short for it)', [
  ['holdfast checklist', 'what is not so, and what to do about it'],
  ['holdfast checklist --all', 'what is so too, with its evidence'],
  ['holdfast checklist --service orders-db --json', 'for a program; exit code 4 while something is not so, or unknown'],
])
  .option('--service <name>', 'only what is about this service')
  .addOption(environmentOption().conflicts('service'))
  .option('--all', 'every answer with its evidence, and not only what is lacking')
  .action(async ({ service, environment, all = false }, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const services = service === undefined ? servicesIn(catalog, environment) : [service]
    const checklist = await checkReadiness(catalog, { services }, signal)
    print.result(checklist, () => checklistText(checklist, all))
    for (const { repository, because } of checklist.unseen)
      print.note(pc.yellow(`${repository} could not be looked into: ${because}`))
    if (checklist.state !== 'yes') process.exitCode = exitCodes.objectiveMissed
  })
