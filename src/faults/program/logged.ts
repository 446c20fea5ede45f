import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { HoldfastError, messageOf, programAt } from '../../kernel/index.ts'

export interface LoggedProgram {
  readonly command: readonly string[]
  /** Of its environment, besides those of this process. */
  readonly variables: Readonly<Record<string, string>>
  /** Where its output goes. */
  readonly output: string
  /** Whose rights it has, with all of its groups. Default: those of this process. */
  readonly account?: { readonly uid: number; readonly gid: number }
}

const toldBytes = 500

/** Starts a program in a session of its own; `ended` never rejects. Throws `fault-failed` for what cannot be started. */
export async function startLogged({ command, variables, output, account }: LoggedProgram): Promise<{
  readonly child: ChildProcess
  readonly ended: Promise<void>
}> {
  const [name = '', ...args] =
    account === undefined ? command : asAccount(account, variables, [found(command[0]), ...command.slice(1)])
  const program = found(name)
  const env = account === undefined ? { ...process.env, ...variables } : process.env
  const log = openSync(output, 'a', 0o600)
  try {
    const child = spawn(program, args, { argv0: name, env, detached: true, stdio: ['ignore', log, log] })
    const ended = once(child, 'exit').then(
      () => {},
      () => {},
    )
    await once(child, 'spawn')
    return { child, ended }
  } catch (error) {
    throw new HoldfastError('fault-failed', { message: `${name} cannot be started: ${messageOf(error)}`, cause: error })
  } finally {
    closeSync(log)
  }
}

/** The file that was looked for before the fault: not what the working folder has under that name, where PATH leads there. */
function found(name = ''): string {
  const program = programAt(name)
  if (program === undefined) throw new HoldfastError('fault-failed', { message: `there is no program ${name}` })
  return program
}

/** Node takes all groups from what it starts as another user. The variables are for the program alone, not for what leads to it in the same process. */
function asAccount(
  { uid, gid }: { readonly uid: number; readonly gid: number },
  variables: LoggedProgram['variables'],
  command: readonly string[],
): string[] {
  const settings = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--init-groups', found('env'), ...settings, ...command]
}

/** The end of what it said. */
export async function tailOf({ output }: Pick<LoggedProgram, 'output'>): Promise<string> {
  return (await readFile(output, 'utf8')).slice(-toldBytes).trim()
}
