import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  checkRepository,
  forgetNamedAndPrune,
  repairIndex,
  repairPacks,
  repairSnapshots,
  type CheckFinding,
} from '../../src/backup/index.ts'
import type { HoldfastError } from '../../src/kernel/index.ts'
import type { Repository } from '../../src/repository/index.ts'
import type { Backend, ObjectKind } from '../../src/storage/index.ts'
import { temporaryFolder } from '../support/holdfast.ts'
import { copyOf, openMemory as open, pruneNow, saveFiles, usedInPart } from '../support/part-used.ts'

const { signal } = new AbortController()

type Damage = (bytes: Uint8Array) => Uint8Array | undefined
const damages: Readonly<Record<string, Damage>> = {
  'a flipped bit at its start': (bytes) => flipped(bytes, 3),
  'a flipped bit in its middle': (bytes) => flipped(bytes, Math.floor(bytes.length / 2)),
  'a flipped bit at its end': (bytes) => flipped(bytes, bytes.length - 3),
  'its end cut off': (bytes) => bytes.slice(0, Math.floor(bytes.length * 0.6)),
  'nothing left in it': () => new Uint8Array(0),
  'been removed': () => undefined,
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = new Uint8Array(bytes)
  copy[at] = (copy[at] ?? 0) ^ 4
  return copy
}

async function apply(backend: Backend, kind: ObjectKind, name: string, damage: Damage): Promise<void> {
  const bytes = damage(await backend.get(kind, name))
  await backend.delete(kind, name)
  if (bytes !== undefined) await backend.put(kind, name, bytes)
}

/** Three states, and their objects of one kind. */
async function threeStates(kind: ObjectKind): Promise<{ backend: Backend; names: string[] }> {
  const backend = await usedInPart()
  const repository = await open(backend)
  for (const day of [20, 21]) await saveFiles(repository, { a: randomBytes(50_000), b: randomBytes(70_000) }, day)
  // Nothing unused: every object matters to some state.
  await pruneNow(repository, { packBytes: 120_000 })
  const listed = kind === 'config' ? [''] : await Array.fromAsync(backend.list(kind), ({ name }) => name)
  return { backend, names: listed }
}

async function errorsOf(repository: Repository): Promise<CheckFinding[]> {
  repository.dropIndex()
  const { findings } = await checkRepository({ repository, readData: true, noLock: true }, () => {}, signal)
  return findings.filter(({ severity }) => severity === 'error')
}

/** As docs/repair.md has it, without a source that a backup could take anything from again. Gives how many snapshots were lost whole. */
async function repairAll(repository: Repository, copiesTo: string): Promise<number> {
  await repairIndex({ repository }, () => {}, signal)
  const damaged = (await errorsOf(repository)).flatMap((finding) =>
    finding.code === 'pack-damaged' || finding.code === 'pack-size' ? [finding.pack] : [],
  )
  if (damaged.length > 0) await repairPacks({ repository, packs: damaged, copiesTo }, () => {}, signal)
  const { repaired, unreadable } = await repairSnapshots({ repository, forget: true }, () => {}, signal)
  for (const { id } of unreadable) await forgetNamedAndPrune({ repository, ids: [id] }, () => {}, signal)
  return unreadable.length + repaired.filter(({ rootUnreadable }) => rootUnreadable).length
}

test.each(['config', 'keys'] as const)('whatever happens to %s, opening says so', async (kind) => {
  const { backend, names } = await threeStates(kind)
  for (const [what, damage] of Object.entries(damages)) {
    const copy = await copyOf(backend)
    await apply(copy, kind, names[0] ?? '', damage)
    // A key opens in spite of what happens to its date or name of the host: then everything is there.
    const ended = await open(copy).then(errorsOf, ({ code }: HoldfastError) => code)
    expect([[], 'object-damaged', 'no-repository', 'not-a-repository', 'unsupported-repository'], what).toContainEqual(ended)
  }
})

test.each(['index', 'snapshots', 'data'] as const)(
  'whatever happens to one of %s is found, and after the repairs nothing is wrong with what is left',
  { timeout: 300_000 },
  async (kind) => {
    await using folder = await temporaryFolder('copies')
    const { backend, names } = await threeStates(kind)
    const met = new Set<string>()
    for (const [number, name] of names.entries()) {
      // Of many objects each meets two of them, and each of them is met.
      const every = names.length < 3 ? 1 : 3
      for (const [what, damage] of Object.entries(damages).filter((_, at) => (at + number) % every === 0)) {
        met.add(what)
        const copy = await copyOf(backend)
        await apply(copy, kind, name, damage)
        const repository = await open(copy)
        const findings = JSON.stringify(await errorsOf(repository))
        const isGone = what === 'been removed'
        // A snapshot that is gone is missed by nobody but its owner; of an index that is gone, what it named.
        expect(findings, `${kind} with ${what}`).toContain(isGone && kind !== 'data' ? (kind === 'index' ? 'blob' : '') : name)
        const lost = await repairAll(repository, folder.path)
        expect(await errorsOf(repository), `${kind} ${name} with ${what}`).toEqual([])
        const left = await repository.snapshots()
        expect(left.length, what).toBe(3 - lost - (isGone && kind === 'snapshots' ? 1 : 0))
        // Of an index nothing is lost: the packs say the same. Of a pack everything is, but for its header.
        const isLess = lost > 0 || left.some(({ tags = [] }) => tags.includes('repaired'))
        expect(isLess, `${kind} with ${what}`).toBe(
          kind === 'snapshots' ? !isGone : kind === 'data' && what !== 'a flipped bit at its end',
        )
      }
    }
    expect(met.size).toBe(Object.keys(damages).length)
  },
)
