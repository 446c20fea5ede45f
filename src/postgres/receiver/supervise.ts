import { spawn } from 'node:child_process'
import { systemClock, type Clock } from '../../kernel/index.ts'

export interface SuperviseOptions {
  /** The receiver: a program and its arguments. It must call `reportAlive`. */
  readonly command: readonly [string, ...string[]]
  /** Killed when it has said nothing for so long. Default 8 s: with the time to notice, less than 10 s. */
  readonly stallMs?: number
  /** The same before its first word: it may have to load, and to derive a key. Default 60 s. */
  readonly startMs?: number
  readonly onRestart?: (reason: string) => void
  readonly clock?: Clock
}

/** Set for the receiver's process; it then works, instead of starting another one. */
export const watchedVariable = 'HOLDFAST_WATCHED'
const aliveIntervalMs = 1000
const stopMs = 15_000
const restartDelayMs = 1000

/**
 * Runs a receiver in a process of its own, and kills it when it stalls: SIGKILL closes its socket even when it is stopped or hangs in the kernel's
 * hands, and with it the server's walsender ends. A receiver that is connected but frozen could otherwise hang the server's checkpointer.
 * Starts it again whenever a signal ended it. Gives its exit code once it ends by itself; when the signal aborts it is asked to end.
 */
export async function superviseReceiver(options: SuperviseOptions, signal: AbortSignal): Promise<number> {
  const { clock = systemClock, onRestart = () => {} } = options
  for (;;) {
    const ended = await runOnce(options, signal, clock)
    if (ended.exitCode !== undefined) return ended.exitCode
    if (signal.aborted) return 0
    onRestart(ended.reason)
    await clock.sleep(restartDelayMs, signal).catch(() => {})
    if (signal.aborted) return 0
  }
}

async function runOnce(
  { command: [program, ...args], stallMs = 8000, startMs = 60_000 }: SuperviseOptions,
  signal: AbortSignal,
  clock: Clock,
): Promise<{ readonly exitCode: number | undefined; readonly reason: string }> {
  if (signal.aborted) return { exitCode: 0, reason: 'stopped' }
  const child = spawn(program, args, {
    env: { ...process.env, [watchedVariable]: '1' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Its own group: Ctrl-C at a terminal reaches it through us, once.
    detached: true,
  })
  let killedFor: string | undefined
  let lastWordMs = clock.monotonicMs() + startMs - stallMs
  let stopDeadlineMs = Number.POSITIVE_INFINITY
  child.on('message', () => (lastWordMs = clock.monotonicMs()))
  const onAbort = () => {
    stopDeadlineMs = clock.monotonicMs() + stopMs
    child.kill('SIGTERM')
  }
  signal.addEventListener('abort', onAbort, { once: true })
  const timer = setInterval(() => {
    const now = clock.monotonicMs()
    if (now > stopDeadlineMs) killedFor = `it did not end within ${stopMs} ms`
    else if (now - lastWordMs > stallMs) killedFor = `it had stalled for ${stallMs} ms`
    if (killedFor !== undefined) child.kill('SIGKILL')
  }, 250)
  try {
    const { promise, resolve } = Promise.withResolvers<{ exitCode: number | undefined; reason: string }>()
    child.once('error', (error) => resolve({ exitCode: undefined, reason: error.message }))
    child.once('exit', (code, name) =>
      resolve({ exitCode: code ?? undefined, reason: killedFor ?? `signal ${name ?? 'unknown'}` }),
    )
    return await promise
  } finally {
    clearInterval(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

/**
 * In the receiver's process: says every second that it is alive, and gives a signal that aborts when the supervisor has gone, because an
 * unwatched receiver must not stay connected. Undefined when no supervisor started this process.
 */
export function reportAlive(): (Disposable & { readonly signal: AbortSignal }) | undefined {
  if (process.env[watchedVariable] === undefined || process.send === undefined) return undefined
  const gone = new AbortController()
  const onDisconnect = () => gone.abort()
  process.once('disconnect', onDisconnect)
  const say = () => {
    if (process.connected) process.send?.('alive', undefined, undefined, () => {})
  }
  say()
  const timer = setInterval(say, aliveIntervalMs)
  return {
    signal: gone.signal,
    [Symbol.dispose]() {
      clearInterval(timer)
      process.off('disconnect', onDisconnect)
      if (process.connected) process.disconnect?.()
    },
  }
}
