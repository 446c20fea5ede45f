import { command } from '../../command.ts'
import { drillDueCommand } from './due.ts'
import { drillFindingsCommand } from './findings.ts'
import { drillListCommand } from './list.ts'
import { drillRunCommand } from './run.ts'
import { drillShowCommand } from './show.ts'

export const drillCommand = command('drill', 'run recovery plans on purpose, before you need them', [
  ['holdfast drill run orders-db', 'the plan of orders-db, in a sandbox'],
  ['holdfast drill show', 'the record of the newest drill'],
  ['holdfast drill due', 'which drills are overdue'],
  ['holdfast drill findings', 'what drills have found and nobody has dealt with'],
])
  .addCommand(drillRunCommand)
  .addCommand(drillListCommand)
  .addCommand(drillShowCommand)
  .addCommand(drillDueCommand)
  .addCommand(drillFindingsCommand)
