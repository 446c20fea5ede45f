import { Command } from '@commander-js/extra-typings'
import { addGlobalOptions } from './command.ts'
import { runCommand } from './commands/run/run.ts'

/** The whole program. Every command is in this list; nothing registers itself. */
export function createProgram(version: string) {
  const program = new Command('holdfast').description('Disaster recovery you can prove.').version(version)
  addGlobalOptions(program)
  program.addCommand(runCommand)
  return program
}
