/** Kills a process and what comes in its place, again and again, until it ends itself: see holder/hold.ts. */
import { setTimeout as delay } from 'node:timers/promises'
import { HoldfastError, sendSignal, systemClock as clock } from '../../kernel/index.ts'
import { choose } from '../choose.ts'
import { hold } from '../holder/hold.ts'
import { noteDeath } from './deaths.ts'
import { inWords, stillRunning, traceOf } from './identity.ts'
import type { RunningProcess } from './list.ts'
import type { KillSignal } from './signals.ts'
import { inLine, type LineTrace } from './successors.ts'
import { findProcesses, type ProcessTarget } from './target.ts'

type Task = {
  readonly folder: string
  readonly target: ProcessTarget
  readonly signal: KillSignal
  readonly intervalMs: number
  /** Of those that were chosen in the beginning: at most as many are killed at a time. */
  readonly lines: LineTrace[]
}

/** For how long a process may take to die. */
const dyingMs = 5000
const pollMs = 10

hold<Task>(async (task) => {
  const first = await killOnce(task)
  if (first === 0) throw new HoldfastError('fault-failed', { message: 'what was chosen is gone' })
  void again(task).catch(() => process.exit(1))
  return first
})

async function again(task: Task): Promise<never> {
  for (let dueMs = clock.monotonicMs(); ;) {
    dueMs = Math.max(dueMs + task.intervalMs, clock.monotonicMs())
    await clock.sleep(dueMs - clock.monotonicMs())
    await killOnce(task)
  }
}

/** Returns how many have died: none where nothing has come back, or where it is still dying. */
async function killOnce({ folder, target, signal, lines }: Task): Promise<number> {
  const { chosen: fitting } = await findProcesses({ ...target, choose: 'all' }, Math)
  const victims = choose(inLine(lines, fitting), { count: lines.length }, Math.random)
  for (const { pid } of victims) sendSignal(pid, signal)
  let dead = 0
  for (const victim of victims) {
    await untilDead(victim, signal)
    await noteDeath(folder, traceOf(victim))
    dead++
  }
  return dead
}

async function untilDead(victim: RunningProcess, signal: KillSignal): Promise<void> {
  const endMs = clock.monotonicMs() + dyingMs
  while (stillRunning(traceOf(victim)) !== undefined) {
    if (clock.monotonicMs() > endMs) {
      throw new HoldfastError('fault-failed', { message: `${inWords(victim)} does not end by ${signal}` })
    }
    await delay(pollMs)
  }
}
