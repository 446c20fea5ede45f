import pc from 'picocolors'
import { exitCodes, HoldfastError, parseDuration } from '../../../kernel/index.ts'
import { recommendStrategy, type Recommendation, type WantedObjectives } from '../../../objectives/index.ts'
import { loadRunCatalog, recommendFor, type ServiceRecommendation } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { table } from '../../output/table.ts'
import { catalogPath } from '../../catalog-path.ts'
import { strategiesHere } from './strategies-here.ts'
import { amountText, missText, objectiveText, promiseText } from './wording.ts'

export const strategyRecommendCommand = command('recommend', 'the cheapest strategy that meets both RPO and RTO', [
  ['holdfast strategy recommend --rpo 15m --rto 30m', 'for these objectives; needs no catalog'],
  ['holdfast strategy recommend orders-db', 'for what the catalog declares'],
  ['holdfast strategy recommend --all', 'every service, beside the strategy that was chosen for it'],
])
  .argument('[service]', 'a service of the catalog')
  .option('--rpo <duration>', 'the most data, in time, that may be lost: 15m')
  .option('--rto <duration>', 'the longest that it may be down: 30m')
  .option('--all', 'every service of the catalog')
  .addHelpText('after', '\nExit code 4 when no strategy meets the objectives, or a chosen one does not.')
  .action(async (service, { rpo, rto, all }, self) => {
    const { globals, print, signal } = contextOf(self)
    const wanted: WantedObjectives = {
      ...(rpo === undefined ? {} : { rpoMs: parseDuration(rpo) }),
      ...(rto === undefined ? {} : { rtoMs: parseDuration(rto) }),
    }
    const given = [service !== undefined, rpo !== undefined || rto !== undefined, all === true].filter(Boolean)
    if (given.length !== 1) {
      throw new HoldfastError('usage', {
        message: given.length === 0 ? 'recommend for what?' : 'a service, objectives and --all exclude each other',
        hint: 'give a service, or --rpo and --rto, or --all',
      })
    }
    if (service === undefined && all === undefined) {
      const { strategies, currency } = await strategiesHere(globals, signal)
      const recommendation = recommendStrategy(strategies, wanted)
      print.result({ currency, ...recommendation }, () => recommendationText(recommendation, currency))
      if (!recommendation.recommended) process.exitCode = exitCodes.objectiveMissed
      return
    }
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const found = recommendFor(catalog, service === undefined ? Object.keys(catalog.services) : [service])
    print.result({ currency: catalog.currency, services: found }, () => {
      const [only] = found
      if (service !== undefined && only) return oneText(only, catalog.currency)
      return found.length === 0 ? 'the catalog has no services: nothing to recommend for' : allText(found, catalog.currency)
    })
    const fits = found.length > 0 && found.every(({ recommended, chosen }) => recommended && chosen?.meets !== false)
    if (!fits) process.exitCode = exitCodes.objectiveMissed
  })

function oneText(found: ServiceRecommendation, currency: string): string {
  const { service, chosen, recommended } = found
  const head = `${service} declares ${objectiveText(found.wanted)}`
  const lines = [head, '', recommendationText(found, currency)]
  if (chosen?.meets === true) {
    const spare = chosen.strategy.costPerMonth - (recommended?.costPerMonth ?? 0)
    const dearer = spare > 0 ? `, for ${amountText(spare)} ${currency} a month more than is needed` : ''
    lines.push('', `${pc.green('✓')} chosen: ${chosen.strategy.title}, which meets both${dearer}`)
  } else if (chosen) {
    lines.push('', `${pc.red('✗')} chosen: ${chosen.strategy.title}, which does not meet them`)
  }
  return lines.join('\n')
}

function recommendationText(found: Recommendation, currency: string): string {
  const { recommended, nearest, eligible, rejected } = found
  const rows = [
    ...eligible.map((strategy) => ({
      strategy,
      why: strategy === recommended ? pc.green('the cheapest that meets both') : 'meets both',
    })),
    ...rejected.map((entry) => ({ strategy: entry.strategy, why: missText(entry) })),
  ].toSorted((a, b) => a.strategy.costPerMonth - b.strategy.costPerMonth)
  const list = table(
    [
      { title: 'strategy', value: ({ strategy }) => (strategy === recommended ? pc.bold(strategy.title) : strategy.title) },
      { title: 'RPO', align: 'right', value: ({ strategy }) => promiseText(strategy.rpoMs) },
      { title: 'RTO', align: 'right', value: ({ strategy }) => promiseText(strategy.rtoMs) },
      { title: `${currency} a month`, align: 'right', value: ({ strategy }) => amountText(strategy.costPerMonth) },
      { title: '', value: ({ why }) => why },
    ],
    rows,
  )
  const answer = recommended
    ? `${pc.bold(recommended.title)}, ${amountText(recommended.costPerMonth)} ${currency} a month`
    : nearest
      ? `${pc.red('none')} meets ${objectiveText(found.wanted)}; the nearest is ${nearest.strategy.title}, which ${missText(nearest)}`
      : 'the catalog has no strategy that is available'
  return rows.length === 0 ? answer : [answer, '', list].join('\n')
}

function allText(found: readonly ServiceRecommendation[], currency: string): string {
  const total = found.reduce((sum, { recommended }) => sum + (recommended?.costPerMonth ?? 0), 0)
  const list = table(
    [
      { title: 'service', value: ({ service }) => service },
      { title: 'RPO', align: 'right', value: ({ wanted }) => promiseText(wanted.rpoMs) },
      { title: 'RTO', align: 'right', value: ({ wanted }) => promiseText(wanted.rtoMs) },
      {
        title: 'recommended',
        value: ({ recommended, nearest }) =>
          recommended?.title ?? pc.red(nearest ? `none (nearest: ${nearest.strategy.title})` : 'none'),
      },
      { title: `${currency} a month`, align: 'right', value: ({ recommended }) => amountText(recommended?.costPerMonth) },
      { title: 'chosen', value: chosenText },
    ],
    found,
  )
  return [list, '', `recommended for all: ${amountText(total)} ${currency} a month`].join('\n')
}

function chosenText({ chosen, recommended }: ServiceRecommendation): string {
  if (!chosen) return '-'
  if (!chosen.meets) return pc.red(`${chosen.strategy.title}: does not meet them`)
  const dearer = recommended !== undefined && chosen.strategy.costPerMonth > recommended.costPerMonth
  return dearer ? pc.yellow(`${chosen.strategy.title}: more than is needed`) : pc.green(chosen.strategy.title)
}
