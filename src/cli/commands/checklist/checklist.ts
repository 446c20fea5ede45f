import { command } from '../../command.ts'
import { checklistAttestCommand } from './attest.ts'
import { checklistShowCommand } from './show.ts'

export const checklistCommand = command('checklist', 'whether everything is ready for a recovery, each point with its evidence', [
  ['holdfast checklist', 'business, technical and operational readiness'],
  ['holdfast checklist --service orders-db', 'of one service'],
  ['holdfast checklist attest training --by "Ann Lee"', 'what only a person can say, on record for a year'],
])
  .usage('[--service NAME] [--all] | attest ITEM --by NAME')
  .addCommand(checklistShowCommand, { isDefault: true })
  .addCommand(checklistAttestCommand)
