import { mkdirSync, mkdtempDisposableSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  checkRepository,
  copySnapshots,
  diffTrees,
  dump,
  EntryFinder,
  listTree,
  prune,
  readStats,
  repairIndex,
  repairSnapshots,
  restoreSnapshot,
  statsModes,
} from '../../src/backup/index.ts'
import { sha256Hex } from '../../src/kernel/index.ts'
import { encodeTree, formatTime, type Repository, type Snapshot } from '../../src/repository/index.ts'
import { sealKeys } from '../../src/repository/seal.ts'
import { encodeUnpacked } from '../../src/repository/unpacked.ts'
import { createMemoryBackend } from '../../src/storage/index.ts'
import { mutatedJson, refusalOf } from '../support/mutations.ts'
import { copyOf } from '../support/part-used.ts'
import { memoryRepository, openMemoryRepository, snapshotOf, type SampleEntry } from '../support/snapshot-of.ts'

const { signal } = new AbortController()
const ignore = () => {}
const runs = Number(process.env.FUZZ_RUNS ?? 40)
/** These write, or start threads, each time. */
const slow = new Set(['check', 'copy', 'repair', 'repair index'])
const runsOf = (verb: string) => ({ numRuns: slow.has(verb) ? Math.ceil(runs / 4) : runs })

interface Odd {
  readonly repository: Repository
  readonly snapshot: Snapshot
  readonly good: Snapshot
  readonly folder: string
}

const nowhere = () => new Writable({ write: (_bytes, _encoding, done) => done() })

/** All that reads indexes and trees. */
const verbs: Readonly<Record<string, (odd: Odd) => Promise<unknown>>> = {
  check: ({ repository }) => checkRepository({ repository, readData: true }, ignore, signal),
  ls: ({ repository, snapshot }) => Array.fromAsync(listTree({ repository, snapshot, path: '/', recursive: true }, signal)),
  find: ({ repository, snapshot }) =>
    new EntryFinder(repository, { patterns: ['*'] }, signal).search(snapshot, { found: ignore, damaged: ignore }),
  diff: async ({ repository, snapshot, good }) => {
    for (const [before, after] of [
      [good.tree, snapshot.tree],
      [snapshot.tree, good.tree],
    ] as const)
      await diffTrees({ repository, before, after, metadata: true }, ignore, signal)
  },
  stats: async ({ repository, snapshot }) => {
    for (const mode of statsModes) await readStats(repository, { snapshots: [snapshot], mode }, ignore, signal)
  },
  tar: ({ repository, snapshot }) => dump({ repository, snapshot, path: '/' }, nowhere(), signal),
  zip: ({ repository, snapshot }) => dump({ repository, snapshot, path: '/', archive: 'zip' }, nowhere(), signal),
  restore: ({ repository, snapshot, folder }) =>
    restoreSnapshot({ repository, snapshot, target: join(folder, 'in', 'target'), overwrite: true }, ignore, signal),
  prune: ({ repository }) => prune({ repository, dryRun: true }, ignore, signal),
  copy: async ({ repository, snapshot }) =>
    copySnapshots(
      { from: repository, to: await memoryRepository(), snapshots: [snapshot], copier: { workers: 1 } },
      ignore,
      signal,
    ),
  repair: ({ repository, snapshot }) => repairSnapshots({ repository, ids: [snapshot.id], forget: true }, ignore, signal),
  'repair index': ({ repository }) => repairIndex({ repository }, ignore, signal),
}

const entries: SampleEntry[] = [
  ['a', 'text'],
  ['d/b', { type: 'symlink', mode: 0o777, linkTarget: Buffer.from('../a') }],
]

/** Does its work, or refuses in words that are for people; whatever a tree names, nothing is made outside of the target. */
async function endsCleanly(verb: (odd: Odd) => Promise<unknown>, odd: Omit<Odd, 'folder'>): Promise<void> {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'holdfast-odd-'))
  mkdirSync(join(folder.path, 'in'))
  const { code, message } = await refusalOf(() => verb({ ...odd, folder: folder.path }))
  expect(code).not.toBe('internal')
  expect(message.length).toBeLessThan(2000)
  expect(readdirSync(folder.path)).toEqual(['in'])
  expect(readdirSync(join(folder.path, 'in')).filter((name) => name !== 'target')).toEqual([])
}

test.each(Object.entries(verbs))('%s over a tree of any bytes', { timeout: 300_000 }, async (name, verb) => {
  const repository = await memoryRepository()
  const good = await snapshotOf(repository, entries)
  const valid = encodeTree(await repository.readTree(good.tree))
  await using writer = await repository.createWriter({ workers: 1 })
  await fc.assert(
    fc.asyncProperty(mutatedJson(valid), async (bytes) => {
      const { id } = await writer.saveTree(Buffer.from(bytes))
      await writer.flush()
      const snapshot = await repository.saveSnapshot({ time: formatTime(0n), tree: id, paths: ['/x'] })
      await endsCleanly(verb, { repository, snapshot, good })
      await repository.forgetSnapshot(snapshot.id)
    }),
    runsOf(name),
  )
})

test.each(Object.entries(verbs))('%s with an index of any bytes', { timeout: 300_000 }, async (name, verb) => {
  const pristine = createMemoryBackend()
  const made = await memoryRepository(pristine)
  const good = await snapshotOf(made, entries)
  const [index = ''] = await Array.fromAsync(pristine.list('index'), ({ name }) => name)
  const valid = await made.readUnpacked('index', index)
  const { mac, encrypt } = JSON.parse(made.keys.masterKey()) as { mac: { k: string; r: string }; encrypt: string }
  const bytes = (text: string) => Buffer.from(text, 'base64')
  const keys = sealKeys({ encrypt: bytes(encrypt), macK: bytes(mac.k), macR: bytes(mac.r) })
  await fc.assert(
    fc.asyncProperty(mutatedJson(valid), async (json) => {
      const backend = await copyOf(pristine)
      await backend.delete('index', index)
      const stored = encodeUnpacked(keys, json, 2)
      await backend.put('index', sha256Hex(stored), stored)
      await using repository = await openMemoryRepository(backend)
      await endsCleanly(verb, { repository, snapshot: good, good })
    }),
    runsOf(name),
  )
})
