import { Option } from '@commander-js/extra-typings'
import { exitCodes } from '../../../kernel/index.ts'
import { costSvg, loadRunCatalog, serviceCosts } from '../../../service/index.ts'
import { HoldfastError } from '../../../kernel/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { catalogPath } from '../../catalog-path.ts'
import { costText } from './cost-text.ts'
import { parseWhatIf } from './what-if.ts'

export const strategyCostCommand = command('cost', 'what a year of disasters is expected to cost, and which strategy pays off', [
  ['holdfast strategy cost', 'every service of the catalog'],
  ['holdfast strategy cost orders-db --set rto=5m', 'what recovering in 5 minutes would save'],
  ['holdfast strategy cost orders-db --set outages=2,downtime-cost=40000', 'with other assumptions'],
  ['holdfast strategy cost orders-db --format svg > cost.svg', 'as a picture'],
])
  .argument('[services...]', 'only these services')
  .option(
    '--set <changes...>',
    'a what-if: rto=5m, rpo=1m, outages=N (a year), downtime-cost=N and data-loss-cost=N (an hour); several with commas',
  )
  .option('--years <count>', 'how many years are simulated', wholeNumber(1000, 10_000_000), 20_000)
  .option('--seed <number>', 'the same seed gives the same figures', wholeNumber(0, 2 ** 31), 1)
  .addOption(new Option('--format <format>', 'as text, or as a picture of one service').choices(['text', 'svg']).default('text'))
  .addHelpText(
    'after',
    '\nNeeds downtimeCostPerHour and outagesPerYear of the service, in the catalog or with --set. Exit code 4 when a service lacks them.',
  )
  .action(async (names, { set, years, seed, format }, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const whatIf = set === undefined ? undefined : parseWhatIf(set)
    const services = names.length > 0 ? names : Object.keys(catalog.services)
    if (format === 'svg' && services.length !== 1) {
      throw new HoldfastError('usage', {
        message: 'a picture is of one service',
        hint: 'name one: `holdfast strategy cost SERVICE --format svg`',
      })
    }
    const costs = await serviceCosts(catalog, { services, years, seed, ...(whatIf ? { whatIf } : {}) }, signal)
    print.result({ services: costs }, () => {
      const [only] = costs
      if (format === 'svg' && only) return costSvg(only)
      return costs.length === 0 ? 'the catalog has no services' : costs.map(costText).join('\n\n')
    })
    if (costs.length === 0 || costs.some(({ lacking }) => lacking.length > 0)) process.exitCode = exitCodes.objectiveMissed
  })

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    throw new HoldfastError('usage', { message: `'${text}' is not a whole number from ${least} to ${most}` })
  }
}
