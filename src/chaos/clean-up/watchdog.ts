import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { watchdogMark } from '../../faults/index.ts'
import { HoldfastError, keepsAlive } from '../../kernel/index.ts'
import { workerEntry } from '../../threads/index.ts'
import { readLines, sendLine, type FromWatchdog } from './protocol.ts'
import type { FaultRecord } from './record.ts'

/** The watchdog of one experiment, as whoever injects sees it. */
export interface Watchdog extends AsyncDisposable {
  readonly pid: number
  /** Aborts when the watchdog is gone: from then on nobody but the injector takes back. */
  readonly lost: AbortSignal
  /** Returns when the watchdog has all it needs to take the fault back. Throws `fault-failed`. */
  guard(path: string, record: FaultRecord): Promise<void>
  release(id: string): Promise<void>
  /** Called when the watchdog has taken a fault back by itself. */
  onCleared(listener: (id: string) => void): void
}

export interface WatchdogOptions {
  /** Of the records: it shows in its environment, so that a watchdog can be told from those of other experiments. */
  readonly directory: string
  /** Silence for longer than this is a lost lease. */
  readonly leaseMs: number
  /** For how long the watchdog tries to take a fault back. */
  readonly budgetMs: number
}

/**
 * Starts it in a session of its own, so that no signal to the group of its parent reaches it; returns when it is ready. It ends with its lease,
 * once it has taken back what it guards.
 */
export async function startWatchdog({ directory, leaseMs, budgetMs }: WatchdogOptions): Promise<Watchdog> {
  const entry = fileURLToPath(workerEntry('watchdog-worker', import.meta.url))
  const child = spawn(process.execPath, [entry, directory, String(leaseMs), String(budgetMs)], {
    // It must keep no file system busy that a fault is about.
    cwd: '/',
    detached: true,
    env: { ...process.env, ...watchdogMark, HOLDFAST_FAULTS_IN: directory },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const gone = once(child, 'exit')
  // Its ending shows in the stream.
  child.stdin.on('error', () => {})
  const lost = new AbortController()
  const waiting = new Map<string, PromiseWithResolvers<void>>()
  const expectAnswer = async (key: string) => {
    const answer = Promise.withResolvers<void>()
    waiting.set(key, answer)
    keepsAlive(child, true)
    try {
      await answer.promise
    } finally {
      keepsAlive(child, waiting.size > 0)
    }
  }
  const ready = expectAnswer('ready')
  const listeners: ((id: string) => void)[] = []
  child.on('error', (error) => lose(error))
  void listen(child.stdout, hear).finally(() => lose())
  const beat = setInterval(() => sendLine(child.stdin, { say: 'beat' }), leaseMs / 4)
  beat.unref()
  await ready

  function hear(message: FromWatchdog): void {
    if (message.say === 'cleared') return listeners.forEach((listener) => listener(message.id))
    const key = message.say === 'ready' ? 'ready' : `${message.say === 'refused' ? 'guarding' : message.say} ${message.id}`
    if (message.say === 'refused') waiting.get(key)?.reject(noWatchdog(message.because))
    else waiting.get(key)?.resolve()
    waiting.delete(key)
  }

  function lose(cause?: Error): void {
    clearInterval(beat)
    lost.abort(noWatchdog('it has ended', cause))
    for (const { reject } of waiting.values()) reject(lost.signal.reason)
    waiting.clear()
  }

  return {
    pid: child.pid ?? 0,
    lost: lost.signal,
    async guard(path, record) {
      lost.signal.throwIfAborted()
      const answer = expectAnswer(`guarding ${record.id}`)
      sendLine(child.stdin, { say: 'guard', path, record })
      await answer
    },
    async release(id) {
      if (lost.signal.aborted) return
      const answer = expectAnswer(`released ${id}`)
      sendLine(child.stdin, { say: 'release', id })
      // One that has ended releases all.
      await answer.catch(() => {})
    },
    onCleared: (listener) => void listeners.push(listener),
    async [Symbol.asyncDispose]() {
      clearInterval(beat)
      keepsAlive(child, true)
      child.stdin.end()
      await gone
    },
  }
}

async function listen(stream: NonNullable<ChildProcess['stdout']>, hear: (message: FromWatchdog) => void): Promise<void> {
  for await (const message of readLines<FromWatchdog>(stream)) hear(message)
}

function noWatchdog(because: string, cause?: unknown): HoldfastError {
  return new HoldfastError('fault-failed', {
    message: `there is no watchdog to take the fault back: ${because}`,
    hint: 'what was injected is taken back; nothing more is injected without one',
    cause,
  })
}
