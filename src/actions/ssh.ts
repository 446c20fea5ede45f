import { access } from 'node:fs/promises'
import { z } from 'zod'
import type { Catalog } from '../catalog/index.ts'
import { blocker, HoldfastError, isHoldfastError, quote } from '../kernel/index.ts'
import { attemptCookie, endLeftProcesses } from './attempt-processes.ts'
import { commandParams } from './command/params.ts'
import { aboutRun, environmentOf, lastLine } from './command/environment.ts'
import { canUndoCommand, probeCommand, runCommand, undoCommand, type Execute } from './command/steps.ts'
import { notDone, type ActionContext, type Finding, type ProbeContext } from './contract.ts'
import { defineAction } from './define-action.ts'
import { outputReference } from './param-types.ts'
import { argv, asShellLine, exportSecret } from './shell-words.ts'
import { endLeftLine } from './ssh/left.ts'
import { runOverSsh, type RemoteCommand } from './ssh/remote.ts'
import { sshArguments, sshTarget, targetText } from './ssh/target.ts'
import { readNote, writeNote } from './step-notes.ts'

const params = z.strictObject({ ...sshTarget, ...commandParams })

type Params = z.infer<typeof params>

/** The step may have begun on the other machine. */
const note = z.strictObject({ begun: z.literal(true) })

/** Runs a command on another machine by the system's ssh. A connection that was never made is told from one that was lost midway. */
export const ssh = defineAction<Params>({
  kind: 'ssh',
  description:
    'Runs a command on another machine, with the system’s `ssh` and keys, and exit code 0 for done. Machines must be known: host keys are always checked, and nothing is asked. When no connection is made the command has not begun and may be tried again; when the connection is lost midway, its `probe` decides, and without one only an `idempotent` command runs again. What an interrupted attempt left running there is ended first (on Linux). Variables and secrets go through the connection, not into arguments. Outputs: `exitCode` and, with `capture`, `stdout`.',
  example: {
    host: 'db2.example.com',
    user: 'postgres',
    run: ['pg_ctl', 'promote', '-D', '/var/lib/postgresql/15/main'],
    probe: 'test ! -e /var/lib/postgresql/15/main/standby.signal',
    effect: 'point-of-no-return',
  },
  effect: ({ effect }) => effect,
  params,

  async preflight(p, context, signal) {
    if ([p.host, p.user, p.identityFile, p.knownHosts].some((value) => value !== undefined && outputReference.test(value)))
      return []
    const missing = await missingFiles(p)
    if (missing.length > 0) return missing
    const [program] = argv(p.run)
    const look = outputReference.test(program) ? 'true' : `command -v ${quote(program)} >/dev/null`
    const attempt = { signal, idempotencyKey: 'preflight', attempt: 0, fencingToken: 0 }
    try {
      const { exitCode } = await execute(look, { ...p, env: {} }, context, attempt)
      if (exitCode === 0) return []
      return [
        blocker(
          'command-missing',
          `the program ${program} does not exist on ${targetText(p)}${p.cwd === undefined ? '' : `, or the folder ${p.cwd} does not`}`,
          'install it there, or name it by its path',
        ),
      ]
    } catch (error) {
      if (!isHoldfastError(error, 'command-failed') || error.details.refused !== false) throw error
      // It may be an earlier step that starts it.
      return [
        { severity: 'warning', code: 'ssh-unreachable', message: error.message, hint: 'it must be up when the step begins' },
      ]
    }
  },

  async probe(p, context, probe) {
    const hasBegun = (await readNote(context, probe.idempotencyKey, note)) !== undefined
    if (probe.previous === 'interrupted' && hasBegun) await endLeft(p, context, probe)
    try {
      return await probeCommand(p, execute, context, hasBegun ? probe : { ...probe, previous: 'failed' })
    } catch (error) {
      // Nothing is told to the other machine before the note is written.
      if (!hasBegun && isHoldfastError(error, 'command-failed')) return notDone
      throw error
    }
  },
  run: (p, context, attempt) =>
    runCommand(
      { ...p, beforeItBegins: () => writeNote(context, attempt.idempotencyKey, { begun: true }) },
      execute,
      context,
      attempt,
    ),
  canUndo: canUndoCommand,
  undo: (p, output, context, attempt) => undoCommand(p, output, execute, context, attempt),

  // Whatever the command does from there.
  reach: () => 'outside',
  manual: (p, catalog) => manualLines(p, p.run, catalog),
  manualUndo: (p, catalog) => (p.undo === undefined ? [] : manualLines(p, p.undo, catalog)),
})

const execute: Execute<Params & Pick<RemoteCommand, 'beforeItBegins'>> = async (command, p, context, attempt) => {
  const { variables, redact } = await environmentOf(p.env, context, attempt.signal)
  const cookie = attemptCookie(context.stateDirectory, attempt.idempotencyKey)
  const remote = {
    line: asShellLine([...argv(command)]),
    beforeItBegins: p.beforeItBegins,
    variables: { ...variables, ...aboutRun(context, attempt), ...cookie },
    cwd: p.cwd,
    env: { ...process.env, ...cookie },
    onOutput: (text: string) => {
      if (text.trim() !== '') context.progress({ step: context.step, text: lastLine(redact(text)) })
    },
  }
  try {
    const result = await runOverSsh(p, remote, attempt.signal)
    return { ...result, on: targetText(p), stdout: redact(result.stdout), stderr: redact(result.stderr) }
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    const { code, message, hint, retryable, details } = error
    throw new HoldfastError(code, { message: redact(message), retryable, details, ...(hint === undefined ? {} : { hint }) })
  }
}

/** What still runs of an attempt could finish after it was looked at: here, and on the other machine. Throws when that is not known. */
async function endLeft(p: Params, context: ActionContext, { signal, idempotencyKey }: ProbeContext): Promise<void> {
  await endLeftProcesses(context.stateDirectory, idempotencyKey, signal)
  const line = asShellLine(['sh', '-c', endLeftLine(attemptCookie(context.stateDirectory, idempotencyKey))])
  const { exitCode, stderr } = await runOverSsh(p, { line, variables: {}, env: process.env }, signal)
  if (exitCode === 0) return
  throw new HoldfastError('outcome-unknown', {
    message: `on ${targetText(p)}, processes of an interrupted attempt do not end${stderr.trim() === '' ? '' : `: ${lastLine(stderr)}`}`,
    hint: 'see what they wait for; the step goes on when they are gone',
  })
}

async function missingFiles({ identityFile, knownHosts }: Params): Promise<Finding[]> {
  const paths = [identityFile, knownHosts].filter((path) => path !== undefined)
  const found = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => [],
        () => [path],
      ),
    ),
  )
  return found.flat().map((path) => blocker('file-missing', `the file ${path} cannot be read`))
}

/** With variables, through sh's input: what stands in arguments is for everybody to see. */
function manualLines(p: Params, command: Params['run'], catalog: Catalog | undefined): string[] {
  const there = `ssh ${sshArguments(p, 'people').map(quote).join(' ')}`
  const line = [...(p.cwd === undefined ? [] : [`cd ${quote(p.cwd)}`]), asShellLine(command)].join(' && ')
  const texts = Object.entries(p.env).flatMap(([name, value]) =>
    typeof value === 'string' ? [`export ${name}=${quote(value)}`] : [],
  )
  const secrets = Object.entries(p.env).flatMap(([name, value]) => (typeof value === 'string' ? [] : [{ name, value }]))
  if (texts.length + secrets.length === 0)
    return [`${there} ${quote(typeof command === 'string' ? `sh -c ${quote(line)}` : line)}`]
  const handed = secrets.map(({ name }) => `"export ${name}='$${name}'"`)
  const input = [...texts, `{ ${line}; } </dev/null`].map(quote)
  return [
    ...secrets.map(({ name, value }) => exportSecret(name, value, catalog)),
    `printf '%s\\n' ${[...handed, ...input].join(' ')} | ${there} sh -s`,
  ]
}
