import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { cpus } from 'node:os'
import { sample } from '../../src/chaos/hypothesis/sampler.ts'
import { lookAtTcp } from '../../src/detection/index.ts'
import { realTime, systemClock as clock } from '../../src/kernel/index.ts'
import type { Figure } from '../benchmark.ts'
import { spreadOf } from '../measure.ts'

const everyMs = 100
const seconds = 20
const { signal } = new AbortController()

/**
 * By how much the time between two looks differs from what was asked for, while twice as many work as there are processors: with real-time priority, as an
 * experiment has it, and without.
 */
export async function cadence(rounds: number): Promise<Figure[]> {
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const stress = spawn('stress-ng', ['--cpu', String(2 * cpus().length), '--timeout', `${2 * rounds * (seconds + 5)}s`], {
    stdio: 'ignore',
  })
  const ended = once(stress, 'exit')
  await once(stress, 'spawn')
  const worst = { realTime: [] as number[], usual: [] as number[] }
  try {
    for (let round = 0; round < rounds; round++) {
      worst.usual.push(await offBy(port, stress))
      await using scheduling = await realTime()
      if (scheduling.because !== undefined) throw new Error(`no real-time priority: ${scheduling.because}`)
      worst.realTime.push(await offBy(port, stress))
    }
  } finally {
    stress.kill()
    await ended
    server.close()
  }
  const what = `a look every ${everyMs} ms beside ${2 * cpus().length} busy workers: the 95th percentile is off by`
  return [
    { what, unit: '%', value: spreadOf(worst.realTime), goal: 5 },
    { what: `${what}, without real-time priority`, unit: '%', value: spreadOf(worst.usual) },
  ]
}

/** In percent of the time between two, its 95th percentile. */
async function offBy(port: number, stress: ChildProcess): Promise<number> {
  const look = async () => {
    await lookAtTcp('127.0.0.1', port, signal)
    return []
  }
  const { samples, slots } = await sample({ clock, everyMs, look }, { endMs: clock.monotonicMs() + seconds * 1000 }, signal)
  if (stress.exitCode !== null) throw new Error(`nothing kept the processors busy: stress-ng ended with ${stress.exitCode}`)
  const starts = samples.flatMap((one) => ('startedMs' in one ? [one.startedMs] : []))
  if (starts.length < slots * 0.9) throw new Error(`only ${starts.length} of ${slots} looks were taken`)
  const off = starts.slice(1).map((startMs, index) => (Math.abs(startMs - (starts[index] ?? 0) - everyMs) / everyMs) * 100)
  return off.toSorted((a, b) => a - b)[Math.floor(off.length * 0.95)] ?? 0
}
