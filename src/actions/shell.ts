import { z } from 'zod'
import type { Catalog } from '../catalog/index.ts'
import { blocker, quote, runProcess } from '../kernel/index.ts'
import { attemptCookie, endLeftProcesses, inOwnSession } from './attempt-processes.ts'
import { commandParams, type CommandParams } from './command/params.ts'
import { aboutRun, environmentOf, keptOutputBytes, lastLine } from './command/environment.ts'
import { canUndoCommand, probeCommand, runCommand, undoCommand, type Execute } from './command/steps.ts'
import { defineAction } from './define-action.ts'
import { inOwnNetwork } from './own-network.ts'
import { outputReference } from './param-types.ts'
import { argv, asShellLine, exportSecret } from './shell-words.ts'

const params = z.strictObject(commandParams)

/** Runs a command. Its exit code 0 means that it is done. The environment tells it about the run; see command/environment.ts. */
export const shell = defineAction<CommandParams>({
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
    return [blocker('command-missing', `the program ${program} does not exist`, 'install it, or put its folder into PATH')]
  },

  async probe(p, context, probe) {
    // What still runs of it could finish after it was looked at.
    if (probe.previous === 'interrupted') await endLeftProcesses(context.stateDirectory, probe.idempotencyKey, probe.signal)
    return await probeCommand(p, execute, context, probe)
  },
  run: (p, context, attempt) => runCommand(p, execute, context, attempt),
  canUndo: canUndoCommand,
  undo: (p, output, context, attempt) => undoCommand(p, output, execute, context, attempt),

  reach: ({ effect }) => (effect === 'read-only' ? 'local' : 'outside'),

  manual: ({ run, cwd, env }, catalog) => [...surroundings(cwd, env, catalog), asShellLine(run)],
  manualUndo: ({ undo, cwd, env }, catalog) =>
    undo === undefined ? [] : [...surroundings(cwd, env, catalog), asShellLine(undo)],
})

/** The folder and the variables that a command needs, for the runbook. */
function surroundings(cwd: string | undefined, env: CommandParams['env'], catalog: Catalog | undefined): string[] {
  return [
    ...Object.entries(env).map(([name, value]) =>
      typeof value === 'string' ? `export ${name}=${quote(value)}` : exportSecret(name, value, catalog),
    ),
    ...(cwd === undefined ? [] : [`cd ${quote(cwd)}`]),
  ]
}

const execute: Execute = async (command, { cwd, env }, context, attempt) => {
  const [program, ...args] = argv(command)
  const { variables, redact } = await environmentOf(env, context, attempt.signal)
  const options = {
    env: {
      ...process.env,
      ...variables,
      ...aboutRun(context, attempt),
      ...attemptCookie(context.stateDirectory, attempt.idempotencyKey),
    },
    keepBytes: keptOutputBytes,
    ...(cwd === undefined ? {} : { cwd }),
    onOutput: (text: string) => context.progress({ step: context.step, text: lastLine(redact(text)) }),
  }
  const inNetwork = context.sandbox?.network === 'own' ? inOwnNetwork(program, args) : ([program, args] as const)
  const result = await runProcess(...inOwnSession(...inNetwork), options, attempt.signal)
  return { ...result, stdout: redact(result.stdout), stderr: redact(result.stderr) }
}
