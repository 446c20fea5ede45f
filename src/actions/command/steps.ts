import { HoldfastError, type Json, type ProcessResult } from '../../kernel/index.ts'
import { done, notDone, unknown, type ActionContext, type Attempt, type Probe, type ProbeContext } from '../contract.ts'
import type { CommandLine } from '../param-types.ts'
import { argv, asShellLine } from '../shell-words.ts'
import { lastLine } from './environment.ts'
import type { CommandParams } from './params.ts'

/** `on`: the machine, where it is another one. */
type Executed = ProcessResult & { readonly on?: string }

/** Runs a command to its end, here or elsewhere. Any exit code is a result; secrets are out of what it printed. */
export type Execute<P extends CommandParams = CommandParams> = (
  command: CommandLine,
  params: P,
  context: ActionContext,
  attempt: Attempt,
) => Promise<Executed>

/** Its own probe decides. Without one, what was interrupted may be half done. */
export async function probeCommand<P extends CommandParams>(
  p: P,
  execute: Execute<P>,
  context: ActionContext,
  { signal, idempotencyKey, previous }: ProbeContext,
): Promise<Probe> {
  if (p.probe !== undefined) {
    const { exitCode } = await execute(p.probe, p, context, { signal, idempotencyKey, attempt: 0, fencingToken: 0 })
    if (exitCode === 0) return done()
    return exitCode === 1 ? notDone : unknown(`its probe ended with exit code ${exitCode}`)
  }
  if (previous !== 'interrupted' || p.idempotent || p.effect === 'read-only') return notDone
  return unknown("the command was interrupted and has neither 'probe' nor 'idempotent'")
}

export async function runCommand<P extends CommandParams>(
  p: P,
  execute: Execute<P>,
  context: ActionContext,
  attempt: Attempt,
): Promise<Json> {
  const result = await execute(p.run, p, context, attempt)
  if (result.exitCode !== 0) throw failed(p.run, result)
  return { exitCode: 0, ...(p.capture ? { stdout: result.stdout.trimEnd() } : {}) }
}

export const canUndoCommand = ({ undo }: CommandParams): boolean => undo !== undefined

export async function undoCommand<P extends CommandParams>(
  p: P,
  output: Json,
  execute: Execute<P>,
  context: ActionContext,
  attempt: Attempt,
): Promise<void> {
  if (p.undo === undefined) return
  const env = { ...p.env, HOLDFAST_OUTPUT: JSON.stringify(output) }
  const result = await execute(p.undo, { ...p, env }, context, attempt)
  if (result.exitCode !== 0) throw failed(p.undo, result)
}

function failed(command: CommandLine, { exitCode, signal, stderr, stdout, on }: Executed): HoldfastError {
  const how = signal === undefined ? `exit code ${exitCode}` : `signal ${signal}`
  const said = lastLine(stderr.trim() === '' ? stdout : stderr).trim()
  const details: Record<string, Json> = { exitCode, signal: signal ?? null }
  return new HoldfastError('command-failed', {
    message: `${argv(command)[0]}${on === undefined ? '' : ` on ${on}`} ended with ${how}${said === '' ? '' : `: ${said}`}`,
    hint: `run it ${on === undefined ? '' : 'there '}by hand to see more: ${asShellLine(command)}`,
    details,
  })
}
