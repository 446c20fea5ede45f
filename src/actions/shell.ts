import { z } from 'zod'
import { portablePath, type Catalog, type SecretRef } from '../catalog/index.ts'
import { HoldfastError, runProcess, type Json, type ProcessResult } from '../kernel/index.ts'
import { attemptCookie, endLeftProcesses, inOwnSession } from './attempt-processes.ts'
import { done, notDone, unknown, type ActionContext, type Attempt } from './contract.ts'
import { defineAction } from './define-action.ts'
import { inOwnNetwork } from './own-network.ts'
import { commandLine, outputReference, textOrSecret, type CommandLine } from './param-types.ts'

const params = z.strictObject({
  run: commandLine.describe('A line for sh, or a program with its arguments. Exit code 0 means that it is done.'),
  probe: commandLine.describe('Reads whether it is done. Exit code 0: done. 1: not done. Anything else: unknown.').optional(),
  undo: commandLine
    .describe('Takes it back; doing that twice must be fine. HOLDFAST_OUTPUT has the step’s output as JSON.')
    .optional(),
  idempotent: z.boolean().describe('Running it again after an interruption does no harm.').default(false),
  effect: z
    .enum(['read-only', 'reversible', 'point-of-no-return'])
    .describe('A read-only command is a check. After a point of no return nothing is undone.')
    .default('reversible'),
  cwd: z.string().describe('The folder it runs in.').optional(),
  env: z
    .record(z.string(), textOrSecret)
    .describe(
      'Environment variables: texts, outputs of steps, secrets. HOLDFAST_RUN, _STEP, _ATTEMPT, _IDEMPOTENCY_KEY and _FENCING_TOKEN are there too.',
    )
    .default({}),
  capture: z
    .boolean()
    .describe('Keeps what it prints as the output `stdout`: it is then in the journal, so it must not be secret.')
    .default(false),
})

type Params = z.infer<typeof params>

const keptOutputBytes = 64 * 1024

/** Runs a command. Its exit code 0 means that it is done. The environment tells it about the run; see `environment` below. */
export const shell = defineAction<Params>({
  kind: 'shell',
  description:
    'Runs a command on the machine that runs the plan, with exit code 0 for done. What it prints is shown and not kept, unless `capture` is set; its outputs are `exitCode` and, captured, `stdout`. After an interruption its `probe` decides whether it is done; without one, only an `idempotent` command runs again. When the step times out, the command and its children are ended before anything else happens.',
  example: {
    run: ['ip', 'address', 'add', '10.0.2.100/24', 'dev', 'eth0'],
    probe: 'ip -brief address show dev eth0 | grep -qF 10.0.2.100/24',
    undo: ['ip', 'address', 'del', '10.0.2.100/24', 'dev', 'eth0'],
  },
  effect: ({ effect }) => effect,
  params,

  async preflight({ run, cwd }, _context, signal) {
    const [program] = argv(run)
    if (outputReference.test(program)) return []
    const found = await runProcess(
      'sh',
      ['-c', 'command -v -- "$1" >/dev/null', 'sh', program],
      cwd === undefined ? {} : { cwd },
      signal,
    )
    if (found.exitCode === 0) return []
    return [
      {
        severity: 'blocker',
        code: 'command-missing',
        message: `the program ${program} does not exist`,
        hint: 'install it, or put its folder into PATH',
      },
    ]
  },

  async probe({ probe, idempotent, effect, ...rest }, context, { signal, idempotencyKey, previous }) {
    // What still runs of it could finish after it was looked at.
    if (previous === 'interrupted') await endLeftProcesses(context.stateDirectory, idempotencyKey, signal)
    if (probe !== undefined) {
      const attempt = { signal, idempotencyKey, attempt: 0, fencingToken: 0 }
      const { exitCode } = await execute(probe, { ...rest, effect, idempotent }, context, attempt)
      if (exitCode === 0) return done()
      return exitCode === 1 ? notDone : unknown(`its probe ended with exit code ${exitCode}`)
    }
    if (previous !== 'interrupted' || idempotent || effect === 'read-only') return notDone
    return unknown("the command was interrupted and has neither 'probe' nor 'idempotent'")
  },

  async run(p, context, attempt) {
    const result = await execute(p.run, p, context, attempt)
    if (result.exitCode !== 0) throw failed(p.run, result)
    return { exitCode: 0, ...(p.capture ? { stdout: result.stdout.trimEnd() } : {}) }
  },

  canUndo: ({ undo }) => undo !== undefined,
  async undo(p, output, context, attempt) {
    if (p.undo === undefined) return
    const result = await execute(p.undo, { ...p, env: { ...p.env, HOLDFAST_OUTPUT: JSON.stringify(output) } }, context, attempt)
    if (result.exitCode !== 0) throw failed(p.undo, result)
  },

  reach: ({ effect }) => (effect === 'read-only' ? 'local' : 'outside'),

  manual: ({ run, cwd, env }, catalog) => [...surroundings(cwd, env, catalog), asShellLine(run)],
  manualUndo: ({ undo, cwd, env }, catalog) =>
    undo === undefined ? [] : [...surroundings(cwd, env, catalog), asShellLine(undo)],
})

/** The folder and the variables that a command needs, for the runbook. */
function surroundings(cwd: string | undefined, env: Params['env'], catalog: Catalog | undefined): string[] {
  return [
    ...Object.entries(env).map(([name, value]) =>
      typeof value === 'string' ? `export ${name}=${quote(value)}` : exportSecret(name, value, catalog),
    ),
    ...(cwd === undefined ? [] : [`cd ${quote(cwd)}`]),
  ]
}

/** A line for sh that sets a variable to a secret without showing it. */
export function exportSecret(name: string, secret: SecretRef, catalog: Catalog | undefined): string {
  if ('env' in secret) return secret.env === name ? `export ${name}` : `export ${name}="$${secret.env}"`
  if ('command' in secret) return `export ${name}="$(${asShellLine([...secret.command])})"`
  const { from, path } = catalog === undefined ? { from: 'root', path: secret.file } : portablePath(secret.file, catalog)
  return `export ${name}="$(cat ${from === 'home' ? '"$HOME"/' : ''}${quote(path)})"`
}

async function execute(
  command: CommandLine,
  { cwd, env }: Pick<Params, 'cwd' | 'env' | 'effect' | 'idempotent'>,
  context: ActionContext,
  { signal, ...attempt }: Attempt,
): Promise<ProcessResult> {
  const [program, ...args] = argv(command)
  const { variables, secrets } = await environment(env, context, signal)
  // What it prints may reach the journal and the screen; a secret that it was given must not.
  const redact = (text: string) => secrets.reduce((clean, secret) => clean.replaceAll(secret, '***'), text)
  const options = {
    env: {
      ...process.env,
      ...variables,
      ...aboutRun(context, attempt),
      ...attemptCookie(context.stateDirectory, attempt.idempotencyKey),
    },
    keepBytes: keptOutputBytes,
    ...(cwd === undefined ? {} : { cwd }),
    onOutput: (text: string) => context.progress({ step: context.step, text: redact(text).trimEnd().split('\n').at(-1) ?? '' }),
  }
  const inNetwork = context.sandbox?.network === 'own' ? inOwnNetwork(program, args) : ([program, args] as const)
  const result = await runProcess(...inOwnSession(...inNetwork), options, signal)
  return { ...result, stdout: redact(result.stdout), stderr: redact(result.stderr) }
}

async function environment(
  env: Params['env'],
  context: ActionContext,
  signal: AbortSignal,
): Promise<{ readonly variables: Record<string, string>; readonly secrets: string[] }> {
  const variables: Record<string, string> = {}
  const secrets: string[] = []
  for (const [name, value] of Object.entries(env)) {
    variables[name] = typeof value === 'string' ? value : (await context.resolveSecret(value, signal)).reveal()
    if (typeof value !== 'string') secrets.push(variables[name])
  }
  return { variables, secrets }
}

/** What every command can rely on. */
function aboutRun(context: ActionContext, attempt: Omit<Attempt, 'signal'>): Record<string, string> {
  return {
    HOLDFAST_RUN: context.runId,
    HOLDFAST_STEP: context.step,
    HOLDFAST_IDEMPOTENCY_KEY: attempt.idempotencyKey,
    HOLDFAST_ATTEMPT: String(attempt.attempt),
    HOLDFAST_FENCING_TOKEN: String(attempt.fencingToken),
  }
}

function failed(command: CommandLine, { exitCode, signal, stderr, stdout }: ProcessResult): HoldfastError {
  const how = signal === undefined ? `exit code ${exitCode}` : `signal ${signal}`
  const lastLine = (stderr.trim() === '' ? stdout : stderr).trim().split('\n').at(-1) ?? ''
  const details: Record<string, Json> = { exitCode, signal: signal ?? null }
  return new HoldfastError('command-failed', {
    message: `${argv(command)[0]} ended with ${how}${lastLine === '' ? '' : `: ${lastLine}`}`,
    hint: `run it by hand to see more: ${asShellLine(command)}`,
    details,
  })
}

export function argv(command: CommandLine): [string, ...string[]] {
  return typeof command === 'string' ? ['sh', '-c', command] : (command as [string, ...string[]])
}

export function asShellLine(command: CommandLine): string {
  return typeof command === 'string' ? command : command.map(quote).join(' ')
}

/** As sh reads it back. */
export function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
