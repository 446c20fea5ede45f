import pc from 'picocolors'
import { formatDuration } from '../../../kernel/index.ts'
import { assumedSpread } from '../../../objectives/index.ts'
import type { PresentLoss, ServiceCost } from '../../../service/index.ts'
import { drawsBoxes } from '../../output/terminal.ts'
import { table } from '../../output/table.ts'
import { amountText } from './wording.ts'

/** What is known, what was assumed, and what follows. */
export function costText(cost: ServiceCost): string {
  const { service, currency, lacking, present, whatIf, strategies } = cost
  const unseen = cost.unseen.map(({ repository, because }) => `${repository} is not counted: ${because}`)
  if (present === undefined) {
    return [
      `${pc.bold(service)}: ${pc.magenta('unknown')}: nobody stated ${lacking.join(' and ')}`,
      `  write ${lacking.length === 1 ? 'it' : 'them'} under services.${service}, or try: --set downtime-cost=12000,outages=0.5`,
      ...unseen,
    ].join('\n')
  }
  const { loss } = present
  const lines = [
    `${pc.bold(service)}: ${amountText(loss.expected)} ${currency} a year are expected to be lost to disasters`,
    `  ${cost.outagesPerYear} a year, ${amountText(cost.downtimeCostPerHour)} ${currency} an hour of downtime${cost.dataLossCostPerHour === undefined ? '' : `, ${amountText(cost.dataLossCostPerHour)} an hour of lost data`}`,
    `  ${basisText(present)}`,
    `  of 100 years, 50 cost at most ${amountText(loss.percentiles.p50)}, 90 ${amountText(loss.percentiles.p90)}, 95 ${amountText(loss.percentiles.p95)}, 99 ${amountText(loss.percentiles.p99)} (${loss.years.toLocaleString('en-US')} simulated, seed ${loss.seed})`,
  ]
  if (whatIf) {
    const set = Object.entries(whatIf.set).map(
      ([key, value]) => `${key.replace(/Ms$/, '')} ${key.endsWith('Ms') ? formatDuration(value) : amountText(value)}`,
    )
    const saved = whatIf.savedPerYear
    lines.push(
      `  what if ${set.join(', ')}: ${amountText(whatIf.loss.expected)} ${currency} a year, ${amountText(Math.abs(saved))} ${saved >= 0 ? 'less' : 'more'}`,
    )
  }
  return [...lines, '', strategyTable(cost), ...unseen].join('\n') + (strategies.length === 0 ? '' : `\n${bestText(cost)}`)
}

function basisText({ basis, n, downtimeMs, spreadAssumed }: PresentLoss): string {
  const spread = spreadAssumed ? `; spread assumed (log-normal, σ ${assumedSpread})` : ''
  const [first = 0] = downtimeMs
  if (basis === 'measured') {
    const range =
      downtimeMs.length === 1
        ? formatDuration(first)
        : `${formatDuration(Math.min(...downtimeMs))} to ${formatDuration(Math.max(...downtimeMs))}`
    return `downtime measured in ${n} ${n === 1 ? 'recovery or drill' : 'recoveries and drills'}: ${range}${spread}`
  }
  return basis === 'strategy'
    ? `downtime as the chosen strategy promises it, never measured: ${formatDuration(first)}${spread}`
    : `downtime as the RTO allows it, never measured: ${formatDuration(first)}${spread}`
}

function strategyTable({ strategies, currency }: ServiceCost): string {
  const most = Math.max(1, ...strategies.map(({ totalPerYear }) => totalPerYear))
  const width = 24
  const [full, light] = drawsBoxes() ? ['█', '░'] : ['#', '.']
  return table(
    [
      { title: 'strategy', value: ({ strategy, chosen }) => (chosen ? `${strategy.title} (chosen)` : strategy.title) },
      { title: 'having it', align: 'right', value: ({ costPerYear }) => amountText(costPerYear) },
      { title: 'expected loss', align: 'right', value: ({ loss }) => amountText(loss.expected) },
      { title: `${currency} a year`, align: 'right', value: ({ totalPerYear }) => amountText(totalPerYear) },
      {
        title: '',
        value: ({ costPerYear, totalPerYear }) => {
          const having = Math.round((costPerYear / most) * width)
          const all = Math.max(having, Math.round((totalPerYear / most) * width))
          return pc.blue(full.repeat(having)) + pc.yellow(light.repeat(all - having))
        },
      },
      { title: 'objectives', value: ({ meetsObjectives }) => (meetsObjectives ? pc.green('met') : pc.red('missed')) },
      {
        title: 'pays above',
        align: 'right',
        value: ({ paysAbove }) => paysText(paysAbove),
      },
    ],
    strategies,
  )
}

function bestText({ cheapestInAll, strategies }: ServiceCost): string {
  const best = strategies.find(({ strategy }) => strategy.name === cheapestInAll)
  const legend = 'pays above: the cost of an hour of downtime from which it is cheaper in all than the strategy before it'
  if (!best) return `${pc.red('no strategy meets the objectives')}\n${legend}`
  return `cheapest in all of those that meet the objectives: ${pc.bold(best.strategy.title)}\n${legend}`
}

/** Where nothing is saved there is no such cost; where the lost data alone pays for it, there need be none. */
function paysText(paysAbove: number | undefined): string {
  if (paysAbove === undefined) return '-'
  return paysAbove === 0 ? 'always' : `${amountText(paysAbove)}/h`
}
