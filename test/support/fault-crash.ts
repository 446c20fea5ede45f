import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { readRecords, sweep, type RecordedStep } from '../../src/chaos/index.ts'
import { faults, markedProcesses } from '../../src/faults/index.ts'
import { processesStartedWith } from '../../src/kernel/index.ts'
import { testProgram } from './program.ts'

const script = testProgram('chaos/fault-process')

/** Every step of a fault's life that is on record, or between two that are. */
const steps: readonly RecordedStep[] = [
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
  /** Default: longer than it takes to load a client on a busy machine. A death shows at once, whatever it is. */
  readonly leaseMs?: number
  readonly limitMs?: number
  /** The file of one, for a fault that names something of it. */
  readonly catalog?: string
}

/** An experiment in a process group of its own, which it kills at that step. */
export function startExperiment(
  directory: string,
  kind: string,
  params: unknown,
  at: RecordedStep | 'hold',
  { leaseMs = 30_000, limitMs = 600_000, catalog = '' }: CrashOptions = {},
): ChildProcess & { readonly pid: number } {
  const args = [script, directory, kind, JSON.stringify(params), at, String(leaseMs), String(limitMs), catalog]
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  if (child.pid === undefined) throw new Error('the experiment did not start')
  return Object.assign(child, { pid: child.pid })
}

export interface EverywhereOptions extends CrashOptions {
  /** Where the folder of its records is made. Default: the temporary folder. */
  readonly records?: string
  /** Fewer of them, where each costs much. `hold`: with its watchdog. */
  readonly at?: readonly (RecordedStep | 'hold')[]
}

/**
 * An experiment with this fault is killed with its whole group at each step of the fault's life, and once with its watchdog too, so that the next
 * sweep has to take it back. After each, its record is closed, nothing that it started runs, and `isSteady` finds everything as it was.
 */
export async function expectNothingLeft(
  kind: string,
  params: unknown,
  isSteady: (after: string) => Promise<void>,
  { records, at: moments = [...steps, 'hold'], ...options }: EverywhereOptions = {},
): Promise<void> {
  for (const at of moments) {
    const folder = await mkdtemp(join(records ?? tmpdir(), 'holdfast-crash-'))
    try {
      const directory = join(folder, 'faults')
      const experiment = startExperiment(directory, kind, params, at, options)
      if (at === 'hold') {
        await once(experiment.stdout!, 'data')
        for (const pid of await watchdogsOf(directory)) process.kill(pid, 'SIGKILL')
        process.kill(-experiment.pid, 'SIGKILL')
      }
      const [, signal] = (await once(experiment, 'exit')) as [number | null, string | null]
      expect(signal, `at ${at}`).toBe('SIGKILL')
      if (at === 'hold')
        expect(await sweep({ directory, faults }, new AbortController().signal)).toMatchObject([{ kind, state: 'cleared' }])
      await expectClosed(directory)
      await expect.poll(() => watchdogsOf(directory)).toEqual([])
      await isSteady(`killed at ${at}`)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** Its watchdog's pid: the only child that it has while it holds. */
export async function watchdogsOf(directory: string): Promise<number[]> {
  const all = await processesStartedWith((started) => started.has('HOLDFAST_FAULT=watchdog'))
  const own = await processesStartedWith((started) => started.has(`HOLDFAST_FAULTS_IN=${directory}`))
  return all.filter((pid) => own.includes(pid))
}

/** Waits until the record is closed, by whoever, and nothing that carries the fault's mark runs. */
export async function expectClosed(directory: string): Promise<void> {
  const closed = async () => (await readRecords(directory)).map(({ closed, statements }) => closed || statements)
  await expect.poll(closed, { timeout: 60_000 }).toEqual([true])
  // The watchdog of one that was killed when it had just closed its record takes the fault back once more, to be sure.
  for (const { record } of await readRecords(directory)) await expect.poll(() => markedProcesses(record.id)).toEqual([])
}
