import { spawn } from 'node:child_process'
import { HoldfastError, messageOf } from './errors.ts'

export interface ProcessResult {
  readonly exitCode: number
  readonly signal: NodeJS.Signals | undefined
  readonly stdout: string
  readonly stderr: string
}

export interface ProcessOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** A promised one is given to it when it is there: for a program that says when it is ready. Rejected: none. */
  readonly input?: string | Uint8Array | Promise<string>
  readonly uid?: number
  readonly gid?: number
  readonly timeoutMs?: number
  /** Each piece of output as it comes, for live views. */
  readonly onOutput?: (text: string, stream: 'stdout' | 'stderr') => void
  /** Kept of each stream; the oldest is dropped. */
  readonly keepBytes?: number
}

/**
 * Runs a program to its end, without a shell, in a process group of its own so that a timeout or an abort ends its children too
 * (SIGTERM, then SIGKILL after 5 s). Any exit code is a result. Throws `not-found` when the program does not exist, `timed-out` after
 * timeoutMs, and the signal's reason when aborted, each only once the process is gone.
 */
export async function runProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
  signal?: AbortSignal,
): Promise<ProcessResult> {
  signal?.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<ProcessResult>()
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    uid: options.uid,
    gid: options.gid,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const keepBytes = options.keepBytes ?? 1024 * 1024
  const kept = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      kept[stream] = (kept[stream] + text).slice(-keepBytes)
      options.onOutput?.(text, stream)
    })
  }
  let failure: unknown
  let killTimer: NodeJS.Timeout | undefined
  const stop = (reason: unknown) => {
    if (failure !== undefined) return
    failure = reason
    signalGroup(child.pid, 'SIGTERM')
    killTimer = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), 5000)
  }
  const onAbort = () => stop(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const timeout = options.timeoutMs
  const timer =
    timeout === undefined
      ? undefined
      : setTimeout(
          () => stop(new HoldfastError('timed-out', { message: `${command} did not end within ${timeout} ms` })),
          timeout,
        )
  child.on('error', (error) => {
    reject(
      new HoldfastError('not-found', {
        message: `cannot run ${command}: ${messageOf(error)}`,
        hint: `check that ${command} is installed and in PATH`,
        cause: error,
      }),
    )
  })
  child.on('close', (exitCode, endSignal) => {
    if (failure !== undefined) reject(failure)
    else resolve({ exitCode: exitCode ?? -1, signal: endSignal ?? undefined, ...kept })
  })
  // A child that ends without reading its input breaks the pipe; its exit code says what happened.
  child.stdin.on('error', () => {})
  if (options.input instanceof Promise) {
    void options.input.then(
      (text) => child.stdin.end(text),
      () => child.stdin.end(),
    )
  } else child.stdin.end(options.input ?? '')
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    clearTimeout(killTimer)
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Signals a whole process group; a group that is already gone is fine. */
function signalGroup(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, name)
  } catch {
    // ESRCH: it ended by itself.
  }
}
