import { command } from '../../command.ts'
import { drillRunCommand } from './run.ts'

export const drillCommand = command('drill', 'run recovery plans on purpose, before you need them', [
  ['holdfast drill run orders-db', 'the plan of orders-db, in a sandbox'],
]).addCommand(drillRunCommand)
