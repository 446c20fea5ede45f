import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { HoldfastError, type Json } from '../../kernel/index.ts'
import type { FaultContext } from '../contract.ts'
import { faultMark } from '../mark.ts'
import type { HolderAnswer } from './hold.ts'

/**
 * Starts a process that holds a fault as long as it lives, with a task that JSON can carry: it ends with this process (the other end of its input), at the deadline, and when the
 * fault is taken back, which ends all that carries its mark. Returns what it says once it holds. Throws `fault-failed` with its reason.
 */
export async function startHolder(entry: URL, task: object, context: FaultContext, signal: AbortSignal): Promise<Json> {
  const { id, clock, deadlineMs } = context
  const child = spawn(process.execPath, [fileURLToPath(entry), String(Math.max(0, deadlineMs - clock.monotonicMs()))], {
    cwd: '/',
    detached: true,
    env: { ...process.env, ...faultMark(id) },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  child.stdin.on('error', () => {})
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
    letGo(child)
  }
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

/** Whoever injected may end without waiting for it. */
function letGo(child: ChildProcess): void {
  for (const part of [child, child.stdin, child.stdout] as (Partial<NodeJS.RefCounted> | null)[]) part?.unref?.()
}
