import { endProcesses, HoldfastError, isHoldfastError, processesStartedWith, sha256Hex } from '../kernel/index.ts'

const cookieName = 'HOLDFAST_PROCESSES_OF'
const sessionName = 'HOLDFAST_SESSION'
const graceMs = 5000

/** The variable by which the processes of a step's attempts are known, also to a process that did not start them. */
export function attemptCookie(stateDirectory: string, idempotencyKey: string): Record<string, string> {
  return { [cookieName]: cookieOf(stateDirectory, idempotencyKey) }
}

/** A command that knows the session it runs in: a daemon that leaves it on purpose is no longer part of the attempt. */
export function inOwnSession(program: string, args: readonly string[]): [string, string[]] {
  return ['sh', ['-c', `export ${sessionName}=$$; exec "$@"`, 'sh', program, ...args]]
}

/**
 * Ends what an interrupted attempt of a step left running: when its orchestrator was killed, nobody else stops it, and it must not go on
 * while the step runs again or is undone. SIGTERM, then SIGKILL after 5 s; returns once they are gone. Throws `outcome-unknown` when they
 * do not go. Needs /proc: elsewhere it finds nothing.
 */
export async function endLeftProcesses(stateDirectory: string, idempotencyKey: string, signal: AbortSignal): Promise<number> {
  const cookie = `${cookieName}=${cookieOf(stateDirectory, idempotencyKey)}`
  const left = () => processesStartedWith((started) => started.has(cookie) && started.has(`${sessionName}=${started.session}`))
  try {
    return await endProcesses(left, ['SIGTERM', 'SIGKILL'], graceMs, signal)
  } catch (error) {
    if (!isHoldfastError(error, 'outcome-unknown')) throw error
    throw new HoldfastError('outcome-unknown', {
      message: `processes of an interrupted attempt do not end: ${String(error.details.pids)}`,
      hint: 'see what they wait for; the step goes on when they are gone',
      cause: error,
    })
  }
}

function cookieOf(stateDirectory: string, idempotencyKey: string): string {
  return sha256Hex(`${stateDirectory}\0${idempotencyKey}`).slice(0, 32)
}
