import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { expectWhole, openMemory as open, pruneNow, saveFiles, usedInPart } from '../../../test/support/part-used.ts'
import type { Backend } from '../../storage/index.ts'

async function amounts(backend: Backend): Promise<{ packs: number; indexes: number }> {
  const [packs, indexes] = await Promise.all([Array.fromAsync(backend.list('data')), Array.fromAsync(backend.list('index'))])
  return { packs: packs.length, indexes: indexes.length }
}

describe('a prune beside others', () => {
  test('keeps what a backup that ended between its two phases needs again', async () => {
    const backend = await usedInPart()
    const repository = await open(backend)
    const other = await open(backend)
    // The trees of forgotten states come back to life once the survey is over, which saw what they need as unused.
    const trees = [...(await other.loadIndex()).entries()].filter(({ type }) => type === 'tree')
    let revived = 0
    const shared = repository.lock.bind(repository)
    repository.lock = async (mode, options, abort) => {
      if (mode === 'exclusive')
        for (const { id } of trees) await other.saveSnapshot({ time: `2025-02-0${++revived}T00:00:00Z`, tree: id, paths: ['/y'] })
      return shared(mode, options, abort)
    }
    await pruneNow(repository)
    expect(revived).toBe(3)
    await expectWhole(backend)
    await expect(repository.snapshotIds()).resolves.toHaveLength(4)
  })

  test('begins anew when somebody else has pruned between its two phases', async () => {
    const backend = await usedInPart()
    const repository = await open(backend)
    const take = repository.lock.bind(repository)
    let others = 0
    repository.lock = async (mode, options, abort) => {
      if (mode === 'exclusive' && others++ === 0) await pruneNow(await open(backend))
      return take(mode, options, abort)
    }
    expect(await pruneNow(repository)).toMatchObject({ unused: { count: 0 } })
    expect(others).toBe(2)
    await expectWhole(backend)
  })

  test('moves blobs beside a running backup, and deletes nothing until that has ended', async () => {
    const backend = await usedInPart()
    const repository = await open(backend)
    const before = await amounts(backend)
    const running = await (await open(backend)).lock('shared')
    await expect(pruneNow(repository)).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining('no pack was deleted') as string,
    })
    const between = await amounts(backend)
    expect(between.packs).toBeGreaterThan(before.packs)
    await running[Symbol.asyncDispose]()
    const report = await pruneNow(repository)
    // What was moved then is not moved again.
    expect(report).toMatchObject({ moved: { count: 0 }, repackedPacks: { count: 0 }, unusedAfterBytes: 0 })
    await expectWhole(backend)
  })
})

describe('a prune of a damaged repository', () => {
  /** The first pack that holds something of this type and that the last state needs. */
  async function neededPack(backend: Backend, type: 'data' | 'tree'): Promise<string> {
    const repository = await open(backend)
    const [snapshot] = await repository.snapshots()
    const index = await repository.loadIndex()
    const nodes = await repository.readTree(snapshot?.tree ?? '')
    const id = type === 'tree' ? (snapshot?.tree ?? '') : (nodes[2]?.content?.[0] ?? '')
    return index.lookup(type, id)?.pack ?? ''
  }

  test.each(['data', 'tree'] as const)('refuses, and deletes nothing, when a pack with needed %s is missing', async (type) => {
    const backend = await usedInPart()
    await backend.delete('data', await neededPack(backend, type))
    const before = await amounts(backend)
    await expect(pruneNow(await open(backend))).rejects.toMatchObject({ code: 'blob-missing' })
    expect(await amounts(backend)).toEqual(before)
  })

  test('refuses, and deletes nothing, when what it has to move is damaged', async () => {
    const backend = await usedInPart()
    const index = await (await open(backend)).loadIndex()
    const packs = new Set([...index.entries()].flatMap(({ type, pack }) => (type === 'data' ? [pack] : [])))
    for (const pack of packs) {
      const bytes = await backend.get('data', pack)
      for (let at = 0; at < bytes.length - 2000; at += 500) bytes[at] = (bytes[at] ?? 0) ^ 1
      await backend.put('data', pack, bytes)
    }
    const before = await Array.fromAsync(backend.list('data'), ({ name }) => name)
    await expect(pruneNow(await open(backend))).rejects.toMatchObject({ code: 'pack-damaged' })
    const after = await Array.fromAsync(backend.list('data'), ({ name }) => name)
    expect(after).toEqual(expect.arrayContaining(before))
  })

  test('refuses when a snapshot cannot be read: nobody knows what that needs', async () => {
    const backend = await usedInPart()
    const repository = await open(backend)
    const id = await saveFiles(repository, { more: randomBytes(10) }, 9)
    await backend.put('snapshots', id, Buffer.from('damaged'))
    await expect(pruneNow(await open(backend))).rejects.toMatchObject({ code: 'object-damaged' })
  })

  test('takes what an unreadable index held from the packs, and replaces it', async () => {
    const backend = await usedInPart()
    const indexes = await Array.fromAsync(backend.list('index'))
    for (const { name } of indexes.slice(0, 2)) await backend.put('index', name, Buffer.from('damaged'))
    const report = await pruneNow(await open(backend))
    expect(report.unreadableIndexes).toHaveLength(2)
    expect(report).toMatchObject({ undecidedPacks: [], unusedAfterBytes: 0 })
    await expectWhole(backend)
    expect(await pruneNow(await open(backend))).toMatchObject({ unreadableIndexes: [], freedBytes: 0 })
  })

  test('keeps a pack that only an unreadable index may know, and that index', async () => {
    const backend = await usedInPart()
    const pack = Buffer.from('neither header nor anything')
    const name = 'ab'.repeat(32)
    await backend.put('data', name, pack)
    const index = 'cd'.repeat(32)
    await backend.put('index', index, Buffer.from('damaged'))
    expect(await pruneNow(await open(backend))).toMatchObject({ undecidedPacks: [name] })
    expect(await backend.stat('data', name)).toBeDefined()
    expect(await backend.stat('index', index)).toBeDefined()
  })

  test('forgets a missing pack of which nothing is needed', async () => {
    const backend = await usedInPart()
    const repository = await open(backend)
    const planned = await pruneNow(repository, { dryRun: true })
    expect(planned.removedPacks.count).toBeGreaterThan(0)
    const index = await repository.loadIndex()
    const needed = new Set<string>()
    const [snapshot] = await repository.snapshots()
    const nodes = await repository.readTree(snapshot?.tree ?? '')
    needed.add(index.lookup('tree', snapshot?.tree ?? '')?.pack ?? '')
    for (const { content } of nodes) for (const id of content ?? []) needed.add(index.lookup('data', id)?.pack ?? '')
    const spare = [...index.packs()].find(({ id }) => !needed.has(id))?.id ?? ''
    await backend.delete('data', spare)
    expect(await pruneNow(await open(backend))).toMatchObject({ lostPacks: [spare], unusedAfterBytes: 0 })
    await expectWhole(backend)
  })
})
