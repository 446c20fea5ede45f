import { HoldfastError, quote, randomHex, runProcess, type ProcessResult } from '../../kernel/index.ts'
import { inOwnSession } from '../attempt-processes.ts'
import { keptOutputBytes, lastLine } from '../command/environment.ts'
import { sshArguments, targetText, type SshTarget } from './target.ts'

export interface RemoteCommand {
  /** One command for the sh of the other machine, which may be run by exec. It reads nothing. */
  readonly line: string
  readonly variables: Readonly<Record<string, string>>
  readonly cwd?: string | undefined
  /** Of the ssh that runs here. */
  readonly env: NodeJS.ProcessEnv
  /** Done, durably, before the other side is told what to do: without it, nothing has begun there. */
  readonly beforeItBegins?: (() => Promise<void>) | undefined
  readonly onOutput?: (text: string) => void
}

/** ssh itself failed; the command's own 255 is told apart by the line that says how it ended. */
const sshFailed = 255

/**
 * Runs a command on another machine, by its sh. Everything but a mark goes over the connection, where only the two ends see it: no
 * variable is in any argument. The other side says when it is ready, and only then it is told what to do. So it is known that nothing
 * began when the connection fails before that: `command-failed`. Afterwards, without a word on how it ended, it is `outcome-unknown`.
 */
export async function runOverSsh(target: SshTarget, command: RemoteCommand, signal: AbortSignal): Promise<ProcessResult> {
  const mark = `holdfast-${randomHex(8)}`
  const { promise: ready, resolve: tellIt, reject: tellNothing } = Promise.withResolvers<string>()
  let isReady = false
  let begun = false
  let notBegun: unknown
  const begin = async () => {
    try {
      await command.beforeItBegins?.()
      begun = true
      tellIt(script(command, mark))
    } catch (error) {
      notBegun = error
      tellNothing(error)
    }
  }
  let seen = ''
  const onOutput = (text: string, stream: 'stdout' | 'stderr') => {
    if (isReady || stream === 'stderr') return command.onOutput?.(withoutMarks(text, mark))
    seen = (seen + text).slice(-keptOutputBytes)
    if (!seen.includes(`${mark} ready\n`)) return
    isReady = true
    void begin()
  }
  // The shell of the account, whichever it is, only starts sh.
  const args = [...sshArguments(target, 'program'), `exec sh -c 'echo ${mark} ready; exec sh -s'`]
  const options = { env: command.env, keepBytes: keptOutputBytes, input: ready, onOutput }
  const result = await runProcess(...inOwnSession('ssh', args), options, signal)
  const [, code] = new RegExp(`${mark} ended (\\d+)\\n`).exec(result.stdout) ?? []
  const stdout = withoutMarks(result.stdout.slice(Math.max(0, result.stdout.indexOf(`${mark} ready\n`))), mark)
  if (code !== undefined) return { ...result, stdout, exitCode: Number(code) }
  if (notBegun !== undefined) throw notBegun
  if (!begun) throw notConnected(target, result)
  throw new HoldfastError('outcome-unknown', {
    message: `the connection to ${targetText(target)} was lost before the command had ended: ${reason(result)}`,
    hint: 'when the machine can be reached again, see how far it came',
    retryable: true,
    details: { exitCode: result.exitCode },
  })
}

function script({ line, variables, cwd }: RemoteCommand, mark: string): string {
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${alwaysQuoted(value)}`)
  // The session by which attempt-processes.ts tells a daemon from what belongs to the attempt: the sixth field of proc_pid_stat(5).
  const session = 'export HOLDFAST_SESSION="$(cut -d" " -f6 /proc/self/stat 2>/dev/null)"'
  // By exec: what runs shows the variables in /proc, by which it is found when the connection is lost.
  const body = `${cwd === undefined ? '' : `cd ${quote(cwd)} || exit 127; `}exec ${line}`
  // In braces, so that sh has read all of it before it begins.
  return `{\n${[...exports, session].join('\n')}\n( ${body} ) </dev/null\nprintf '\\n%s ended %s\\n' ${mark} "$?"\nexit\n}\n`
}

function alwaysQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** The line end before the last mark is ours, too: what was printed may not end with one. */
function withoutMarks(text: string, mark: string): string {
  return text.replace(new RegExp(`\\n?${mark} ended \\d+\\n`), '').replace(`${mark} ready\n`, '')
}

function notConnected(target: SshTarget, result: ProcessResult): HoldfastError {
  const refused = refusals.find(({ says }) => says.test(result.stderr))
  return new HoldfastError('command-failed', {
    message: `ssh to ${targetText(target)} failed before the command began: ${reason(result)}`,
    hint: refused?.hint ?? 'check that it is up and can be reached from here',
    retryable: refused === undefined,
    details: { exitCode: result.exitCode, refused: refused !== undefined },
  })
}

/** What does not come right by itself. */
const refusals = [
  {
    says: /host key verification failed|host key is known|host identification has changed/i,
    hint: 'add the machine’s key to the known hosts, once you have compared it: `ssh-keyscan` shows it',
  },
  {
    says: /permission denied/i,
    hint: 'check the user, and that the machine has the public key in authorized_keys; keys with a passphrase need an agent',
  },
  {
    says: /no such identity|bad owner or permissions|bad configuration option|unprotected private key/i,
    hint: 'check the key file and the ssh configuration here',
  },
]

function reason({ stderr, exitCode }: ProcessResult): string {
  const said = lastLine(stderr).trim()
  return said === ''
    ? `it ended with exit code ${exitCode}${exitCode === sshFailed ? '' : ', and its shell did not answer'}`
    : said
}
