import { Command } from '@commander-js/extra-typings'
import { addGlobalOptions } from './command.ts'
import { backupCommand } from './commands/backup.ts'
import { demoCommand } from './commands/demo.ts'
import { postgresCommand } from './commands/postgres/postgres.ts'
import { recoverCommand } from './commands/recover.ts'
import { restoreCommand } from './commands/restore.ts'
import { ledgerCommand } from './commands/ledger/ledger.ts'
import { runCommand } from './commands/run/run.ts'
import { statusCommand } from './commands/status/status.ts'
import { validateCommand } from './commands/validate.ts'

/** The whole program. Every command is in this list; nothing registers itself. */
export function createProgram(version: string) {
  const program = new Command('holdfast').description('Disaster recovery you can prove.').version(version)
  addGlobalOptions(program)
  program.addCommand(validateCommand)
  program.addCommand(backupCommand)
  program.addCommand(restoreCommand)
  program.addCommand(recoverCommand)
  program.addCommand(runCommand)
  program.addCommand(postgresCommand)
  program.addCommand(demoCommand)
  program.addCommand(statusCommand)
  program.addCommand(ledgerCommand)
  return program
}
