import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openGuard, readRecords, sweep } from '../../src/chaos/index.ts'
import { faults } from '../../src/faults/index.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { bound, chaosFolder, guardIn, never, startVictim, stateOf } from '../support/chaos.ts'
import { expectClosed, startExperiment, watchdogsOf } from '../support/fault-crash.ts'
import { describeWith } from '../support/peers.ts'
import { twoPlaces } from '../support/two-places.ts'

const pause = (pid: number) => ({ target: { pid }, by: 'signal' })

async function killGroup(experiment: ReturnType<typeof startExperiment>): Promise<void> {
  process.kill(-experiment.pid, 'SIGKILL')
  await once(experiment, 'exit')
}

test('at its deadline a fault is taken back, and whoever injected it is told', async () => {
  await using folder = await chaosFolder()
  await using victim = await startVictim()
  await using guard = await guardIn(folder.path)
  const fault = await guard.inject(bound('process.pause', pause(victim.pid)), 1500, never)
  expect(await fault.look(never)).toEqual({ state: 'present' })
  await expect.poll(() => fault.expired.aborted).toBe(true)
  expect(await fault.look(never)).toEqual({ state: 'absent' })
  expect(await victim.standsStill()).toBe(false)
  expect(await fault.end()).toMatchObject({ by: 'watchdog' })
})

test('an injector that hangs loses its lease: what it injected is taken back, and its record stays open until it is dead', async () => {
  await using folder = await chaosFolder()
  await using victim = await startVictim()
  const directory = join(folder.path, 'faults')
  const experiment = startExperiment(directory, 'process.pause', pause(victim.pid), 'hold', { leaseMs: 1000 })
  await once(experiment.stdout!, 'data')
  expect(await victim.standsStill()).toBe(true)
  process.kill(experiment.pid, 'SIGSTOP')
  await expect.poll(() => victim.standsStill()).toBe(false)
  await expect.poll(() => watchdogsOf(directory)).toEqual([])
  expect(await readRecords(directory)).toMatchObject([{ closed: false, statements: { watchdog: { state: 'ending' } } }])
  await killGroup(experiment)
  expect(await sweep({ directory, faults }, never)).toMatchObject([{ state: 'cleared' }])
  await expectClosed(directory)
})

test('what is injected after its time is over is taken back at once', async () => {
  await using folder = await chaosFolder()
  await using victim = await startVictim()
  await using guard = await guardIn(folder.path)
  const late = guard.inject(bound('process.pause', pause(victim.pid)), 1, never)
  await expect(late).rejects.toMatchObject({ code: 'fault-failed' })
  expect(await victim.standsStill()).toBe(false)
  await expectClosed(join(folder.path, 'faults'))
})

test('without its watchdog an experiment injects nothing more, and takes back what there is itself', async () => {
  await using folder = await chaosFolder()
  await using victim = await startVictim()
  await using guard = await guardIn(folder.path)
  const fault = await guard.inject(bound('process.pause', pause(victim.pid)), 60_000, never)
  for (const pid of await watchdogsOf(join(folder.path, 'faults'))) process.kill(pid, 'SIGKILL')
  await expect.poll(() => guard.watchdogLost.aborted).toBe(true)
  const another = guard.inject(bound('process.kill', { target: { pid: victim.pid } }), 60_000, never)
  await expect(another).rejects.toMatchObject({ code: 'fault-failed' })
  await fault.end()
  expect(await victim.standsStill()).toBe(false)
})

test('SIGTERM has the watchdog take everything back before it ends', async () => {
  await using folder = await chaosFolder()
  await using victim = await startVictim()
  const directory = join(folder.path, 'faults')
  await using guard = await guardIn(folder.path)
  await guard.inject(bound('process.pause', pause(victim.pid)), 60_000, never)
  for (const pid of await watchdogsOf(directory)) process.kill(pid, 'SIGTERM')
  await expect.poll(() => watchdogsOf(directory)).toEqual([])
  expect(await victim.standsStill()).toBe(false)
})

test.skipIf(process.getuid?.() !== 0).for(['watchdog', 'sweeper'] as const)(
  'a full disk does not keep the %s from taking a fault back, and from saying so',
  async (who) => {
    await using folder = await chaosFolder()
    await using victim = await startVictim()
    const directory = join(folder.path, 'small')
    await mkdir(directory)
    await runProcess('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory])
    await using _mounted = { [Symbol.asyncDispose]: async () => void (await runProcess('umount', ['-l', directory])) }
    const experiment = startExperiment(directory, 'process.pause', pause(victim.pid), 'hold')
    await once(experiment.stdout!, 'data')
    await runProcess('dd', ['if=/dev/zero', `of=${join(directory, 'fill')}`, 'bs=4096'])
    await expect(writeFile(join(directory, 'more'), Buffer.alloc(4096))).rejects.toMatchObject({ code: 'ENOSPC' })
    if (who === 'sweeper') for (const pid of await watchdogsOf(directory)) process.kill(pid, 'SIGKILL')
    await killGroup(experiment)
    const swept = who === 'sweeper' ? await sweep({ directory, faults }, never) : []
    expect(swept.map(({ state }) => state)).toEqual(who === 'sweeper' ? ['cleared'] : [])
    await expectClosed(directory)
    expect(await victim.standsStill()).toBe(false)
  },
)

test.skipIf(process.getuid?.() !== 0)('a process that has the number of one that was paused is not touched', async () => {
  await using folder = await chaosFolder()
  await using guard = await guardIn(folder.path)
  const first = spawn('sleep', ['600'], { stdio: 'ignore' })
  await once(first, 'spawn')
  const { pid = 0 } = first
  const fault = await guard.inject(bound('process.pause', pause(pid)), 60_000, never)
  first.kill('SIGKILL')
  await once(first, 'exit')
  const second = await spawnAs(pid)
  try {
    process.kill(pid, 'SIGSTOP')
    await expect.poll(() => stateOf(pid)).toBe('T')
    await fault.end()
    expect(await stateOf(pid)).toBe('T')
  } finally {
    second.kill('SIGKILL')
  }
})

/** A process of that number: the kernel gives the next one that is free. */
async function spawnAs(wanted: number) {
  for (let attempt = 0; attempt < 1000; attempt++) {
    await writeFile('/proc/sys/kernel/ns_last_pid', String(wanted - 1))
    const child = spawn('sleep', ['600'], { stdio: 'ignore' })
    if (child.pid === wanted) return child
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  throw new Error(`no process got the number ${wanted}`)
}

test('a target that was started anew meanwhile has nothing of the fault, and its end says so', async () => {
  await using folder = await chaosFolder()
  await using guard = await guardIn(folder.path)
  const victim = await startVictim()
  const fault = await guard.inject(bound('process.pause', pause(victim.pid)), 60_000, never)
  await victim[Symbol.asyncDispose]()
  await using _again = await startVictim()
  expect(await fault.look(never)).toEqual({ state: 'absent' })
  expect(await fault.end()).toMatchObject({ by: 'injector' })
})

test('as long as a fault is open that cannot be taken back from here, nothing new is injected', async () => {
  await using folder = await chaosFolder()
  await using victim = await startVictim()
  const directory = join(folder.path, 'faults')
  const experiment = startExperiment(directory, 'process.pause', pause(victim.pid), 'hold')
  await once(experiment.stdout!, 'data')
  for (const pid of await watchdogsOf(directory)) process.kill(pid, 'SIGKILL')
  const held = await sweep({ directory, faults }, never)
  expect(held).toMatchObject([{ state: 'held', targets: [`process ${victim.pid} (sh)`] }])
  await killGroup(experiment)
  const unknown = faults.filter(({ kind }) => kind !== 'process.pause')
  await expect(openGuard({ directory, experiment: 'next', faults: unknown }, never)).rejects.toMatchObject({ code: 'fault-open' })
  expect(await victim.standsStill()).toBe(true)
  expect(await sweep({ directory, faults }, never)).toMatchObject([{ state: 'cleared' }])
})

test('of two that would inject with one directory, the second is refused', async () => {
  await using folder = await chaosFolder()
  await using _first = await guardIn(folder.path)
  await expect(guardIn(folder.path)).rejects.toMatchObject({ code: 'run-busy' })
})

test('a record that is damaged stops everything: a fault may hide in it', async () => {
  await using folder = await chaosFolder()
  await using victim = await startVictim()
  const directory = join(folder.path, 'faults')
  const guard = await guardIn(folder.path)
  await guard.inject(bound('process.pause', pause(victim.pid)), 60_000, never)
  await guard[Symbol.asyncDispose]()
  const [{ path } = { path: '' }] = await readRecords(directory)
  const bytes = await readFile(path)
  bytes[100] = (bytes[100] ?? 0) ^ 1
  await writeFile(path, bytes)
  await expect(guardIn(folder.path)).rejects.toMatchObject({ code: 'journal-damaged', details: { file: path } })
  await rm(path)
  await using _next = await guardIn(folder.path)
})

describeWith('nftables', 'two experiments on one host', () => {
  test('the end of one leaves the other as it is', async () => {
    await using one = await chaosFolder()
    await using other = await chaosFolder()
    await using places = await twoPlaces()
    const { namespace, there } = places
    await using first = await guardIn(one.path)
    await using second = await guardIn(other.path)
    const partition = bound('network.partition', { namespace, peers: [there] })
    const ended = await first.inject(partition, 60_000, never)
    const stays = await second.inject(partition, 60_000, never)
    await ended.end()
    expect(await stays.look(never)).toEqual({ state: 'present' })
    expect(await places.tables()).toBe(`table inet holdfast_${stays.id}`)
    expect(await places.answered()).toBe(0)
    await stays.end()
    expect(await places.answered()).toBe(5)
  })
})
