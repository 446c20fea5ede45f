import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings'
import { addGlobalOptions } from './command.ts'

/** Every command, in the order of the help; nothing registers itself. Each is loaded when it is asked for: all of them are a second's work. */
const commands: readonly (readonly [name: string, load: () => Promise<CommandUnknownOpts>])[] = [
  ['init', async () => (await import('./commands/init.ts')).initCommand],
  ['validate', async () => (await import('./commands/validate.ts')).validateCommand],
  ['backup', async () => (await import('./commands/backup/backup.ts')).backupCommand],
  ['snapshots', async () => (await import('./commands/snapshots.ts')).snapshotsCommand],
  ['ls', async () => (await import('./commands/ls.ts')).lsCommand],
  ['diff', async () => (await import('./commands/diff/diff.ts')).diffCommand],
  ['find', async () => (await import('./commands/find/find.ts')).findCommand],
  ['dump', async () => (await import('./commands/dump.ts')).dumpCommand],
  ['restore', async () => (await import('./commands/restore.ts')).restoreCommand],
  ['forget', async () => (await import('./commands/forget/forget.ts')).forgetCommand],
  ['prune', async () => (await import('./commands/prune/prune.ts')).pruneCommand],
  ['repair', async () => (await import('./commands/repair/repair.ts')).repairCommand],
  ['check', async () => (await import('./commands/check/check.ts')).checkCommand],
  ['copy', async () => (await import('./commands/copy/copy.ts')).copyCommand],
  ['stats', async () => (await import('./commands/stats.ts')).statsCommand],
  ['tag', async () => (await import('./commands/tag.ts')).tagCommand],
  ['key', async () => (await import('./commands/key/key.ts')).keyCommand],
  ['cat', async () => (await import('./commands/cat/cat.ts')).catCommand],
  ['unlock', async () => (await import('./commands/unlock.ts')).unlockCommand],
  ['observe', async () => (await import('./commands/observe.ts')).observeCommand],
  ['detect', async () => (await import('./commands/detect/detect.ts')).detectCommand],
  ['recover', async () => (await import('./commands/recover/recover.ts')).recoverCommand],
  ['drill', async () => (await import('./commands/drill/drill.ts')).drillCommand],
  ['chaos', async () => (await import('./commands/chaos/chaos.ts')).chaosCommand],
  ['run', async () => (await import('./commands/run/run.ts')).runCommand],
  ['runbook', async () => (await import('./commands/runbook/runbook.ts')).runbookCommand],
  ['postgres', async () => (await import('./commands/postgres/postgres.ts')).postgresCommand],
  ['demo', async () => (await import('./commands/demo.ts')).demoCommand],
  ['status', async () => (await import('./commands/status/status.ts')).statusCommand],
  ['doctor', async () => (await import('./commands/doctor/doctor.ts')).doctorCommand],
  ['checklist', async () => (await import('./commands/checklist/checklist.ts')).checklistCommand],
  ['graph', async () => (await import('./commands/graph.ts')).graphCommand],
  ['strategy', async () => (await import('./commands/strategy/strategy.ts')).strategyCommand],
  ['report', async () => (await import('./commands/report.ts')).reportCommand],
  ['ledger', async () => (await import('./commands/ledger/ledger.ts')).ledgerCommand],
]

/**
 * The program with the commands that a line names; with all of them where it names none, as help and a mistyped name need. Without a line, the
 * whole program.
 */
export async function createProgram(version: string, argv: readonly string[] = []) {
  const program = new Command('holdfast').description('Disaster recovery you can prove.').version(version)
  addGlobalOptions(program)
  const named = commands.filter(([name]) => argv.includes(name))
  const needed = named.length > 0 || argv[0] === '--version' ? named : commands
  for (const command of await Promise.all(needed.map(([, load]) => load()))) program.addCommand(command)
  return program
}
