import { hostname } from 'node:os'
import { beforeEach, expect, test } from 'vitest'
import type { Clock } from '../../kernel/index.ts'
import { createMemoryBackend, faulty, type Backend } from '../../storage/index.ts'
import { HoldfastError } from '../../kernel/index.ts'
import { seal, sealKeys } from '../seal.ts'
import { encodeUnpacked } from '../unpacked.ts'
import { acquireLock } from './acquire.ts'
import { HeldLock } from './held-lock.ts'
import { ignoreHangup } from './ignore-hangup.ts'
import { isStale, type LockInfo } from './lock-file.ts'
import { LockStore } from './lock-store.ts'

const keys = sealKeys({ encrypt: Buffer.alloc(32, 1), macK: Buffer.alloc(16, 2), macR: Buffer.alloc(16, 3) })
const minute = 60_000

/** Time passes only by sleeping. */
function manualClock(startMs = Date.now()): Clock & { advance(ms: number): void; sleeps: number } {
  let now = startMs
  return {
    sleeps: 0,
    now: () => new Date(now),
    monotonicMs: () => now,
    advance: (ms) => {
      now += ms
    },
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      this.sleeps++
      now += ms
    },
  }
}

let backend: Backend
let store: LockStore
let clock: ReturnType<typeof manualClock>
beforeEach(() => {
  backend = createMemoryBackend()
  store = new LockStore(backend, keys, 2)
  clock = manualClock()
})

const shared = { exclusive: false, retryForMs: 0, settleMs: 200 }
const exclusive = { exclusive: true, retryForMs: 0, settleMs: 200 }

test('shared locks tolerate each other; an exclusive one tolerates nobody', async () => {
  const first = await acquireLock(store, clock, shared)
  await acquireLock(store, clock, shared)
  await expect(acquireLock(store, clock, exclusive)).rejects.toMatchObject({ code: 'locked', exitCode: 11 })
  for (const id of await store.ids()) await store.remove(id)
  await acquireLock(store, clock, exclusive)
  await expect(acquireLock(store, clock, shared)).rejects.toMatchObject({ code: 'locked' })
  expect(await store.ids()).toHaveLength(1)
  expect(await store.exists(first)).toBe(false)
})

test('of two that ask at the same time for exclusive use, at most one gets it, and no lock is left by the other', async () => {
  const results = await Promise.allSettled([acquireLock(store, clock, exclusive), acquireLock(store, clock, exclusive)])
  const got = results.filter(({ status }) => status === 'fulfilled')
  expect(got.length).toBeLessThanOrEqual(1)
  expect(await store.ids()).toHaveLength(got.length)
})

test('whoever waits gets the lock once it is free, and gives up after its time', async () => {
  const held = await acquireLock(store, clock, exclusive)
  const patient = {
    ...clock,
    sleep: async (ms: number) => {
      clock.advance(ms)
      if (clock.monotonicMs() > start + 5000) await store.remove(held)
    },
  }
  const start = clock.monotonicMs()
  await expect(acquireLock(store, patient, { exclusive: false, retryForMs: 60_000, settleMs: 200 })).resolves.toMatch(
    /^[0-9a-f]{64}$/,
  )
  await store.write(true, clock.now().getTime())
  const from = clock.monotonicMs()
  await expect(acquireLock(store, clock, { exclusive: false, retryForMs: 10_000, settleMs: 200 })).rejects.toMatchObject({
    code: 'locked',
  })
  expect(clock.monotonicMs() - from).toBeGreaterThanOrEqual(10_000)
})

test('the refusal says who holds it, and that a stale lock can be removed', async () => {
  await store.write(true, clock.now().getTime())
  await expect(acquireLock(store, clock, shared)).rejects.toMatchObject({
    retryable: true,
    message: expect.stringMatching(new RegExp(`exclusively locked by process ${process.pid} of .+@${hostname()}`)),
  })
  clock.advance(31 * minute)
  await expect(acquireLock(store, clock, shared)).rejects.toMatchObject({
    hint: expect.stringContaining('holdfast unlock'),
    retryable: false,
  })
})

test('a lock that cannot be read blocks; an empty file does not', async () => {
  await backend.put('locks', 'ab'.repeat(32), new Uint8Array())
  await store.remove(await acquireLock(store, clock, exclusive))
  await backend.put('locks', 'cd'.repeat(32), seal(keys, Buffer.from([9])))
  await expect(acquireLock(store, clock, shared)).rejects.toMatchObject({
    code: 'locked',
    hint: expect.stringContaining('--remove-all'),
  })
})

test.each([
  ['as restic 1 wrote them', 1],
  ['compressed', 2],
] as const)('locks are read %s', async (_what, version) => {
  const body = Buffer.from(
    '{"time":"2026-01-02T03:04:05.678901234+01:00","exclusive":true,"hostname":"h","username":"u","pid":7,"uid":3}',
  )
  await backend.put('locks', 'ab'.repeat(32), encodeUnpacked(keys, body, version))
  const [lock] = await store.list()
  expect(lock?.info).toEqual({
    id: 'ab'.repeat(32),
    timeMs: Date.parse('2026-01-02T02:04:05.678Z'),
    exclusive: true,
    hostname: 'h',
    username: 'u',
    pid: 7,
  })
})

test('stale is what is half an hour old, or of a process of this machine that is gone', () => {
  const nowMs = Date.now()
  const lock: LockInfo = { id: '', timeMs: nowMs - minute, exclusive: true, hostname: hostname(), username: '', pid: process.pid }
  expect(isStale(lock, nowMs)).toBe(false)
  expect(isStale({ ...lock, timeMs: nowMs - 31 * minute }, nowMs)).toBe(true)
  // The largest pid that a kernel could give out, and then one.
  expect(isStale({ ...lock, pid: 2 ** 22 + 1 }, nowMs)).toBe(true)
  expect(isStale({ ...lock, pid: 2 ** 22 + 1, hostname: 'elsewhere' }, nowMs)).toBe(false)
})

const quick = { settleMs: 0, refreshEveryMs: 10, lostAfterMs: 60_000 }

async function held(times = quick, from: LockStore = store) {
  const real: Clock = { ...clock, now: () => new Date(), monotonicMs: () => performance.now() }
  const id = await from.write(false, Date.now())
  return { id, lock: new HeldLock(from, { id, mode: 'shared', hangup: ignoreHangup() }, real, times) }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('a held lock is written anew, and is gone when it is given back', async () => {
  const { id, lock } = await held()
  await until(async () => !(await store.exists(id)))
  expect(await store.ids()).toHaveLength(1)
  expect(lock.signal.aborted).toBe(false)
  await lock[Symbol.asyncDispose]()
  expect(await store.ids()).toEqual([])
})

test('a process that holds a lock survives SIGHUP, by which restic asks whether it lives', async () => {
  const { lock } = await held()
  expect(process.listenerCount('SIGHUP')).toBe(1)
  await lock[Symbol.asyncDispose]()
  expect(process.listenerCount('SIGHUP')).toBe(0)
})

test('a lock that somebody removed is lost at its next refresh', async () => {
  const { id, lock } = await held()
  await store.remove(id)
  await until(() => lock.signal.aborted)
  expect(lock.signal.reason).toMatchObject({ code: 'lock-lost', exitCode: 11, message: expect.stringContaining('removed it') })
  await lock[Symbol.asyncDispose]()
})

test('a lock that cannot be refreshed is lost before others may take it for stale, and says why', async () => {
  const error = new HoldfastError('storage-failed', { message: 'the wire is cut' })
  const broken = new LockStore(faulty(backend, [{ on: 'put', nth: 2, times: 1e9, fault: { type: 'error', error } }]), keys, 2)
  const { lock } = await held({ ...quick, lostAfterMs: 400 }, broken)
  await until(() => lock.signal.aborted)
  expect(lock.signal.reason).toMatchObject({ code: 'lock-lost', message: expect.stringContaining('the wire is cut') })
  await lock[Symbol.asyncDispose]()
  expect(await store.ids()).toEqual([])
})

test('an older lock that could not be removed when it was replaced is removed at the end', async () => {
  const error = new HoldfastError('storage-failed', { message: 'the wire is cut' })
  const shaky = new LockStore(faulty(backend, [{ on: 'delete', times: 1, fault: { type: 'error', error } }]), keys, 2)
  const { id, lock } = await held({ ...quick, refreshEveryMs: 500 }, shaky)
  await until(async () => (await store.ids()).length === 2)
  expect(await store.exists(id)).toBe(true)
  await lock[Symbol.asyncDispose]()
  expect(await store.ids()).toEqual([])
})
