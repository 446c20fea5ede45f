import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { HoldfastError, keepsAlive, type Json } from '../../kernel/index.ts'
import type { FaultContext } from '../contract.ts'
import { faultMark } from '../mark.ts'
import type { HolderAnswer, HolderTask } from './hold.ts'

/** A process that can hold a fault, and does nothing until it is told to. It ends with this process (the other end of its input). */
export interface Holder extends AsyncDisposable {
  /** Of the injection that it is for: it carries its mark. */
  readonly id: string
  /** Whether it still runs. */
  isThere(): boolean
  /** Gives it its task; returns what it says once it holds. Throws `fault-failed` with its reason. */
  begin(task: HolderTask, signal: AbortSignal): Promise<Json>
}

/** Starts one, without waiting until it has loaded what it needs. */
export function spawnHolder(entry: URL, id: string): Holder {
  const child = spawn(process.execPath, [fileURLToPath(entry)], {
    cwd: '/',
    detached: true,
    env: { ...process.env, ...faultMark(id) },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const gone = once(child, 'exit').catch(() => {})
  child.stdin.on('error', () => {})
  keepsAlive(child, false)
  return {
    id,
    isThere: () => child.pid !== undefined && child.exitCode === null && child.signalCode === null,
    async begin(task, signal) {
      keepsAlive(child, true)
      child.stdin.write(`${JSON.stringify(task)}\n`)
      const stop = () => child.kill('SIGKILL')
      signal.addEventListener('abort', stop, { once: true })
      try {
        const answer = await firstAnswer(child)
        signal.throwIfAborted()
        if (answer.say === 'holds') return answer.what
        throw new HoldfastError('fault-failed', { message: answer.because })
      } finally {
        signal.removeEventListener('abort', stop)
        // Whoever injected may end without waiting for it.
        keepsAlive(child, false)
      }
    },
    async [Symbol.asyncDispose]() {
      if (!child.kill('SIGKILL')) return
      keepsAlive(child, true)
      await gone
    },
  }
}

/**
 * Has a process hold a fault as long as it lives, with a task that JSON can carry: the one that was started ahead, or else a new one. It ends with this process, at the
 * deadline, and when the fault is taken back, which ends all that carries its mark. Returns what it says once it holds. Throws `fault-failed` with its reason.
 */
export async function startHolder(entry: URL, task: object, context: FaultContext, signal: AbortSignal): Promise<Json> {
  const { id, clock, deadlineMs, holder } = context
  const limitMs = Math.max(0, deadlineMs - clock.monotonicMs())
  const one = holder?.isThere() === true ? holder : spawnHolder(entry, id)
  return await one.begin({ task, limitMs }, signal)
}

async function firstAnswer(child: ChildProcess): Promise<HolderAnswer> {
  const failed = Promise.withResolvers<never>()
  child.once('error', failed.reject)
  return await Promise.race([readAnswer(child), failed.promise])
}

async function readAnswer({ stdout }: ChildProcess): Promise<HolderAnswer> {
  if (stdout !== null) for await (const line of createInterface({ input: stdout })) return JSON.parse(line) as HolderAnswer
  return { say: 'failed', because: 'the process that should hold the fault ended without a word' }
}
