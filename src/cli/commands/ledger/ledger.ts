import { command } from '../../command.ts'
import { ledgerExportCommand } from './export.ts'
import { ledgerKeysCommand } from './keys.ts'
import { ledgerShowCommand } from './show.ts'
import { ledgerVerifyCommand } from './verify.ts'

export const ledgerCommand = command('ledger', 'the evidence: what was measured, and whether it is intact', [
  ['holdfast ledger show', 'the newest records'],
  ['holdfast ledger verify', 'find altered, missing or reordered records'],
])
  .addCommand(ledgerShowCommand)
  .addCommand(ledgerVerifyCommand)
  .addCommand(ledgerExportCommand)
  .addCommand(ledgerKeysCommand)
