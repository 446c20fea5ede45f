import { Command } from '@commander-js/extra-typings'
import { addGlobalOptions } from './command.ts'
import { backupCommand } from './commands/backup/backup.ts'
import { catCommand } from './commands/cat/cat.ts'
import { chaosCommand } from './commands/chaos/chaos.ts'
import { checkCommand } from './commands/check/check.ts'
import { copyCommand } from './commands/copy/copy.ts'
import { diffCommand } from './commands/diff/diff.ts'
import { doctorCommand } from './commands/doctor/doctor.ts'
import { dumpCommand } from './commands/dump.ts'
import { findCommand } from './commands/find/find.ts'
import { detectCommand } from './commands/detect/detect.ts'
import { demoCommand } from './commands/demo.ts'
import { drillCommand } from './commands/drill/drill.ts'
import { postgresCommand } from './commands/postgres/postgres.ts'
import { forgetCommand } from './commands/forget/forget.ts'
import { graphCommand } from './commands/graph.ts'
import { initCommand } from './commands/init.ts'
import { lsCommand } from './commands/ls.ts'
import { observeCommand } from './commands/observe.ts'
import { pruneCommand } from './commands/prune/prune.ts'
import { recoverCommand } from './commands/recover/recover.ts'
import { repairCommand } from './commands/repair/repair.ts'
import { restoreCommand } from './commands/restore.ts'
import { keyCommand } from './commands/key/key.ts'
import { ledgerCommand } from './commands/ledger/ledger.ts'
import { runCommand } from './commands/run/run.ts'
import { runbookCommand } from './commands/runbook/runbook.ts'
import { snapshotsCommand } from './commands/snapshots.ts'
import { statsCommand } from './commands/stats.ts'
import { statusCommand } from './commands/status/status.ts'
import { strategyCommand } from './commands/strategy/strategy.ts'
import { tagCommand } from './commands/tag.ts'
import { unlockCommand } from './commands/unlock.ts'
import { validateCommand } from './commands/validate.ts'

/** The whole program. Every command is in this list; nothing registers itself. */
export function createProgram(version: string) {
  const program = new Command('holdfast').description('Disaster recovery you can prove.').version(version)
  addGlobalOptions(program)
  program.addCommand(initCommand)
  program.addCommand(validateCommand)
  program.addCommand(backupCommand)
  program.addCommand(snapshotsCommand)
  program.addCommand(lsCommand)
  program.addCommand(diffCommand)
  program.addCommand(findCommand)
  program.addCommand(dumpCommand)
  program.addCommand(restoreCommand)
  program.addCommand(forgetCommand)
  program.addCommand(pruneCommand)
  program.addCommand(repairCommand)
  program.addCommand(checkCommand)
  program.addCommand(copyCommand)
  program.addCommand(statsCommand)
  program.addCommand(tagCommand)
  program.addCommand(keyCommand)
  program.addCommand(catCommand)
  program.addCommand(unlockCommand)
  program.addCommand(observeCommand)
  program.addCommand(detectCommand)
  program.addCommand(recoverCommand)
  program.addCommand(drillCommand)
  program.addCommand(chaosCommand)
  program.addCommand(runCommand)
  program.addCommand(runbookCommand)
  program.addCommand(postgresCommand)
  program.addCommand(demoCommand)
  program.addCommand(statusCommand)
  program.addCommand(doctorCommand)
  program.addCommand(graphCommand)
  program.addCommand(strategyCommand)
  program.addCommand(ledgerCommand)
  return program
}
