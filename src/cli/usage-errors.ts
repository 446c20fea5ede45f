import type { CommanderError, CommandUnknownOpts } from '@commander-js/extra-typings'
import { HoldfastError } from '../kernel/index.ts'

/**
 * Makes a command line that is not understood an error like every other, instead of a text on stderr and the end of the process: thrown as
 * `usage`, with the command whose help says what is accepted. Help and version, which end the process too, throw commander's own error, as
 * does a command that needs another one behind it and has shown its help to a person.
 */
export function throwUsageErrors(command: CommandUnknownOpts, json: boolean): void {
  command.exitOverride((error) => {
    const shown = error.exitCode === 0 || (error.code === 'commander.help' && !json)
    throw shown ? error : usageError(error, pathOf(command))
  })
  command.configureOutput({
    outputError: () => {},
    ...(json ? { writeErr: () => {} } : {}),
  })
  for (const child of command.commands) throwUsageErrors(child, json)
}

function usageError({ code, message }: CommanderError, path: string): HoldfastError {
  const incomplete = code === 'commander.help'
  return new HoldfastError('usage', {
    message: incomplete ? `\`${path}\` needs one of its commands behind it` : wordingOf(message),
    hint: `\`${path} --help\` shows what is accepted`,
  })
}

/** Commander begins with "error: ", ends with a full stop, and suggests on a line of its own. */
function wordingOf(message: string): string {
  return message
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '')
}

/** As it is typed: `holdfast runbook check`. */
function pathOf(command: CommandUnknownOpts): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}
