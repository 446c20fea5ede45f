import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { readRecords, type RecordedStep } from '../../src/chaos/index.ts'
import { markedProcesses } from '../../src/faults/index.ts'
import { processesStartedWith } from '../../src/kernel/index.ts'

const script = fileURLToPath(new URL('../chaos/fault-process.ts', import.meta.url))

/** Every step of a fault's life that is on record, or between two that are. */
export const steps: readonly RecordedStep[] = [
  'recorded',
  'guarded',
  'injecting',
  'did-inject',
  'injected',
  'ending',
  'did-end',
  'closed',
]

export interface CrashOptions {
  readonly leaseMs?: number
  readonly limitMs?: number
}

/** An experiment in a process group of its own, which it kills at that step. */
export function startExperiment(
  directory: string,
  kind: string,
  params: unknown,
  at: RecordedStep | 'hold',
  { leaseMs = 2000, limitMs = 600_000 }: CrashOptions = {},
): ChildProcess & { readonly pid: number } {
  const args = [script, directory, kind, JSON.stringify(params), at, String(leaseMs), String(limitMs)]
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  if (child.pid === undefined) throw new Error('the experiment did not start')
  return Object.assign(child, { pid: child.pid })
}

/** Returns once it has been killed with SIGKILL, by itself. */
export async function crashAt(directory: string, kind: string, params: unknown, at: RecordedStep): Promise<void> {
  const child = startExperiment(directory, kind, params, at)
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  expect(signal, `at ${at}`).toBe('SIGKILL')
}

/** Returns once an experiment that had injected it, and its watchdog, have been killed with SIGKILL: only a sweep is left to take it back. */
export async function crashWithWatchdog(directory: string, kind: string, params: unknown): Promise<void> {
  const experiment = startExperiment(directory, kind, params, 'hold')
  await once(experiment.stdout!, 'data')
  for (const pid of await watchdogsOf(directory)) process.kill(pid, 'SIGKILL')
  process.kill(-experiment.pid, 'SIGKILL')
  await once(experiment, 'exit')
}

/** Its watchdog's pid: the only child that it has while it holds. */
export async function watchdogsOf(directory: string): Promise<number[]> {
  const all = await processesStartedWith((started) => started.has('HOLDFAST_FAULT=watchdog'))
  const own = await processesStartedWith((started) => started.has(`HOLDFAST_FAULTS_IN=${directory}`))
  return all.filter((pid) => own.includes(pid))
}

/** Waits until the record is closed, by whoever, and nothing that carries the fault's mark runs. */
export async function expectClosed(directory: string): Promise<void> {
  const closed = async () => (await readRecords(directory)).map(({ closed }) => closed)
  await expect.poll(closed, { timeout: 60_000 }).toEqual([true])
  for (const { record } of await readRecords(directory)) expect(await markedProcesses(record.id)).toEqual([])
}
