import { command } from '../../command.ts'
import { strategyCostCommand } from './cost.ts'
import { strategyMatrixCommand } from './matrix.ts'
import { strategyRecommendCommand } from './recommend.ts'

export const strategyCommand = command('strategy', 'which strategy fits an RPO and an RTO, and what it costs', [
  ['holdfast strategy recommend --rpo 15m --rto 30m', 'the cheapest that meets both; needs no catalog'],
  ['holdfast strategy recommend orders-db', 'by what the catalog declares for it'],
  ['holdfast strategy matrix --format svg > matrix.svg', 'RPO × RTO, with the services in it'],
  ['holdfast strategy cost orders-db --set rto=5m', 'what a year of disasters costs, and what faster recovery would save'],
])
  .addCommand(strategyRecommendCommand)
  .addCommand(strategyMatrixCommand)
  .addCommand(strategyCostCommand)
