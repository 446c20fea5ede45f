import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { copySnapshots, forget, repairIndex, repairSnapshots, tagSnapshots } from '../../src/backup/index.ts'
import { HoldfastError, isHoldfastError } from '../../src/kernel/index.ts'
import { createRepository, type Repository } from '../../src/repository/index.ts'
import {
  createMemoryBackend,
  faulty,
  openLocalBackend,
  type Backend,
  type FaultRule,
  type ObjectKind,
} from '../../src/storage/index.ts'
import { temporaryFolder } from '../support/holdfast.ts'
import { copyOf, expectWhole, openMemory, saveFiles, usedInPart } from '../support/part-used.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository } from '../support/restic.ts'

const { signal } = new AbortController()
const ignore = () => {}
const kdf = { N: 1024, r: 8, p: 1 }
const packBytes = 64 * 1024

interface Place {
  readonly folder: string
  /** What the verb works on, and where it copies to or from. */
  readonly backend: Backend
  readonly other: Backend
}

/** Through `faulty`, what is opened before the verb is at work is read without faults. */
type Run = (repository: Repository, place: Place) => Promise<unknown>

async function removeOthers(repository: Repository): Promise<void> {
  for (const { id, current } of await repository.keys.list(signal)) if (!current) await repository.keys.remove(id, signal)
}

/** What writes to a repository; of backup, prune and repair packs see verb-faults.test.ts. */
const verbs: Readonly<Record<string, Run>> = {
  forget: (repository) => forget({ repository, rules: { counts: { last: 1 } } }, signal),
  'copy into it': async (repository, { other }) => {
    const from = await openMemory(other)
    const snapshots = await from.snapshots()
    return copySnapshots({ from, to: repository, snapshots, copier: { packBytes, workers: 1 } }, ignore, signal)
  },
  'copy out of it': async (repository, { other }) => {
    const snapshots = await repository.snapshots(signal)
    const to = await openMemory(other)
    const { failed } = await copySnapshots({ from: repository, to, snapshots, copier: { packBytes, workers: 1 } }, ignore, signal)
    if (failed[0] !== undefined) throw failed[0].error
  },
  tag: async (repository) =>
    tagSnapshots({ repository, snapshots: await repository.snapshots(signal), add: ['t'] }, () => Promise.resolve(), signal),
  'key add': (repository) => repository.keys.add('other', { kdf }, signal),
  'key remove': removeOthers,
  'key passwd': (repository) => repository.keys.changePassword('p', { kdf }, signal),
  'repair index': (repository) => repairIndex({ repository, readAllPacks: true }, ignore, signal),
  'repair snapshots': (repository) => repairSnapshots({ repository, forget: true }, ignore, signal),
  unlock: (repository) => repository.unlock({ all: true }, signal),
}

const error = new HoldfastError('storage-failed', { message: 'a wire was cut, by script', retryable: true })
const diskFull = new HoldfastError('disk-full', { message: 'no space left, by script' })
const faults: Readonly<Record<string, Pick<FaultRule, 'on' | 'fault'>>> = {
  'an error of a list': { on: 'list', fault: { type: 'error', error } },
  'an error of a stat': { on: 'stat', fault: { type: 'error', error } },
  'an error of a read': { on: 'get', fault: { type: 'error', error } },
  'a short read': { on: 'get', fault: { type: 'truncate', keepBytes: 40 } },
  'a bit flipped on the way': { on: 'get', fault: { type: 'flip-bit', bit: 400 } },
  'a slow read': { on: 'get', fault: { type: 'delay', ms: 20 } },
  'an error of a write': { on: 'put', fault: { type: 'error', error } },
  'a full disk': { on: 'put', fault: { type: 'error', error: diskFull } },
  'a crash before a write': { on: 'put', fault: { type: 'crash', at: 'before' } },
  'a crash after a write': { on: 'put', fault: { type: 'crash', at: 'after' } },
  'a slow write': { on: 'put', fault: { type: 'delay', ms: 20 } },
  'an error of a deletion': { on: 'delete', fault: { type: 'error', error } },
  'a crash before a deletion': { on: 'delete', fault: { type: 'crash', at: 'before' } },
  'a crash after a deletion': { on: 'delete', fault: { type: 'crash', at: 'after' } },
}
const endings = ['done', 'storage-failed', 'disk-full', 'object-damaged', 'pack-damaged', 'blob-missing']

/** Calls of a kind that are struck, of all that a verb makes. FAULT_POINTS=1000 strikes each. */
const points = Number(process.env.FAULT_POINTS ?? 1)

/** Counts the calls that go through. */
function counting(backend: Backend): { backend: Backend; calls: Record<string, number> } {
  const calls: Record<string, number> = { list: 0, stat: 0, get: 0, put: 0, delete: 0 }
  const counted = new Proxy(backend, {
    get(target, name: keyof Backend) {
      const method = target[name] as unknown
      if (typeof method !== 'function') return method
      const called = String(name)
      if (called in calls) calls[called] = (calls[called] ?? 0) + 1
      return method.bind(target) as unknown
    },
  })
  return { backend: counted, calls }
}

/** Begins to fail when it is told to: opening is not what is tried. */
function later(backend: Backend, script: readonly FaultRule[]): { backend: Backend; begin: () => void } {
  let current = backend
  const switching = new Proxy(backend, {
    get(_, name: keyof Backend) {
      const method = current[name] as unknown
      return typeof method === 'function' ? (method.bind(current) as unknown) : method
    },
  })
  return { backend: switching, begin: () => void (current = faulty(backend, script)) }
}

async function struckBy(run: Run, place: Place, script: readonly FaultRule[]): Promise<string> {
  const { backend, begin } = later(place.backend, script)
  const repository = await openMemory(backend)
  begin()
  return run(repository, { ...place, backend }).then(
    () => 'done',
    (error: unknown) => {
      if (isHoldfastError(error)) return error.code
      throw error
    },
  )
}

const kinds: readonly ObjectKind[] = ['keys', 'config', 'index', 'snapshots', 'data']

async function store(from: Backend, path: string): Promise<void> {
  await using to = await openLocalBackend(path)
  await to.prepare?.()
  for (const kind of kinds) for await (const { name } of from.list(kind)) await to.put(kind, name, await from.get(kind, name))
}

async function pristine(): Promise<{ backend: Backend; other: Backend }> {
  const backend = await usedInPart()
  const repository = await openMemory(backend)
  for (const day of [20, 21]) await saveFiles(repository, { a: randomBytes(50_000), b: randomBytes(70_000) }, day)
  await repository.keys.add('second', { kdf })
  const other = createMemoryBackend()
  await createRepository(other, 'p', { kdf })
  await saveFiles(await openMemory(other), { a: randomBytes(50_000), c: randomBytes(90_000) }, 22)
  return { backend, other }
}

describeWith('restic', 'a storage that fails in any way', (restic) => {
  test.each(Object.entries(verbs))(
    'under %s leaves a whole repository, and the verb can be run again',
    { timeout: 900_000 },
    async (verb, run) => {
      await using folder = await temporaryFolder('faults')
      const before = await pristine()
      const fresh = async () => ({
        folder: folder.path,
        backend: await copyOf(before.backend),
        other: await copyOf(before.other),
      })
      const calm = await fresh()
      const { backend: counted, calls } = counting(calm.backend)
      const repository = await openMemory(counted)
      for (const on of Object.keys(calls)) calls[on] = 0
      await run(repository, { ...calm, backend: counted })
      await expectWhole(calm.backend)

      let struck = 0
      let last = calm.backend
      for (const [what, { on, fault }] of Object.entries(faults)) {
        const most = calls[on] ?? 0
        const step = Math.max(1, Math.floor(most / points))
        for (let nth = 1; nth <= most; nth += step) {
          const place = await fresh()
          const where = `${what}, number ${nth} of ${most}`
          const ended = await struckBy(run, place, [{ on, nth, fault }])
          expect(fault.type === 'delay' ? ['done'] : endings, where).toContain(ended)
          const written = verb === 'copy out of it' ? place.other : place.backend
          await expectWhole(written)
          const after = await openMemory(place.backend)
          await after.unlock({ all: true })
          await (await openMemory(place.other)).unlock({ all: true })
          await run(after, place)
          await expectWhole(written)
          last = written
          struck++
        }
      }
      // The real one has the last word.
      using shared = sharedRepository(restic)
      await store(last, shared.path)
      writeFileSync(shared.passwordFile, 'p')
      await shared.check()
      expect(struck).toBeGreaterThan(verb === 'unlock' ? 0 : 5)
    },
  )
})
