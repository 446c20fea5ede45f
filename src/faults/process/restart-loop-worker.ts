/** Kills a process and what comes in its place, again and again, until it ends itself: see holder/hold.ts. */
import { setTimeout as delay } from 'node:timers/promises'
import { HoldfastError, messageOf, sendSignal, systemClock as clock } from '../../kernel/index.ts'
import { choose } from '../choose.ts'
import { hold } from '../holder/hold.ts'
import { noteDeath, noteEnd } from './deaths.ts'
import { inWords, stillRunning, traceOf } from './identity.ts'
import type { RunningProcess } from './list.ts'
import type { KillSignal } from './signals.ts'
import { everybody, firstOf, successorsOf, type LineTrace } from './successors.ts'
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
  const { folder, lines, signal } = task
  const first = firstOf(lines)
  if (first.length === 0) throw new HoldfastError('fault-failed', { message: 'what was chosen is gone' })
  // What comes in the place of the dead has not started before the kill.
  const before = everybody()
  await killAll(first, signal, folder)
  void again(task, before).catch(async (error: unknown) => {
    await noteEnd(folder, messageOf(error)).catch(() => {})
    process.exit(1)
  })
  return first.length
})

async function again(task: Task, before: ReadonlySet<string>): Promise<never> {
  for (let dueMs = clock.monotonicMs(); ;) {
    dueMs = Math.max(dueMs + task.intervalMs, clock.monotonicMs())
    await clock.sleep(dueMs - clock.monotonicMs())
    await killSuccessors(task, before)
  }
}

/** None where nothing has come back. */
async function killSuccessors({ folder, target, signal, lines }: Task, before: ReadonlySet<string>): Promise<void> {
  const { chosen: fitting } = await findProcesses({ ...target, choose: 'all' }, Math)
  const victims = choose(successorsOf(lines, fitting, before), { count: lines.length }, Math.random)
  await killAll(victims, signal, folder)
}

async function killAll(victims: readonly RunningProcess[], signal: KillSignal, folder: string): Promise<void> {
  for (const { pid } of victims) sendSignal(pid, signal)
  for (const victim of victims) {
    await untilDead(victim, signal)
    await noteDeath(folder, traceOf(victim))
  }
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
