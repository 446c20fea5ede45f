import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createRepository } from '../../repository/index.ts'
import { openLocalBackend } from '../../storage/index.ts'
import { snapshotsOf } from './kept-snapshots.ts'

const now = new Date('2026-01-02T00:00:00Z')

async function repositoryWith(count: number) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-kept-snapshots-'))
  const repository = await createRepository(await openLocalBackend(join(folder, 'repository')), 'secret')
  onTestFinished(async () => {
    await repository[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })
  const save = (minute: number) => {
    const time = new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString()
    return repository.saveSnapshot({ time, tree: 'e'.repeat(64), paths: ['/srv/é'], hostname: 'db1', tags: [`n:${minute}`] })
  }
  const saved = []
  for (let minute = 0; minute < count; minute++) saved.push(await save(minute))
  const catalog = { file: join(folder, 'holdfast.yaml') }
  const kept = join(folder, '.holdfast', 'cache', `snapshots-${repository.id}.jsonl`)
  return { repository, folder, saved, save, catalog, kept, objects: join(folder, 'repository', 'snapshots') }
}

test('many snapshots are the same from what is kept of them, with what came and went since', async () => {
  const { repository, saved, save, catalog, kept, objects } = await repositoryWith(100)
  expect(await snapshotsOf(repository, catalog, now)).toEqual(saved)
  expect((await readFile(kept, 'utf8')).split('\n')).toHaveLength(1 + 100)
  // Of the same size: what was kept of an older one counts. Another size is read, and seen to be damaged.
  const [first, second] = saved
  const path = join(objects, first?.id ?? '')
  const sealed = await readFile(path)
  await writeFile(path, sealed.fill(0, 20, 30))
  expect(await snapshotsOf(repository, catalog, now)).toEqual(saved)
  await repository.forgetSnapshot(second?.id ?? '')
  const newest = await save(200)
  expect(await snapshotsOf(repository, catalog, now)).toEqual([first, ...saved.slice(2), newest])
  await truncate(path, 40)
  await expect(snapshotsOf(repository, catalog, now)).rejects.toMatchObject({ code: 'object-damaged' })
})

test('the newest of each host, paths and service is read each time: one that rotted is not taken for sound', async () => {
  const { repository, saved, catalog, objects } = await repositoryWith(100)
  const about = { tree: 'e'.repeat(64), paths: ['/srv/é'], hostname: 'db1', tags: ['n:1', 'service:api'] }
  const other = await repository.saveSnapshot({ ...about, time: '2025-06-01T00:00:00Z' })
  // Nothing rests on it.
  const future = await repository.saveSnapshot({ ...about, time: '2027-01-01T00:00:00Z' })
  await snapshotsOf(repository, catalog, now)
  const rot = async (id = '') => {
    const path = join(objects, id)
    const sealed = await readFile(path)
    await writeFile(path, Buffer.from(sealed).fill(0, 20, 30))
    return () => writeFile(path, sealed)
  }
  await rot(future.id)
  await rot(saved.at(-2)?.id)
  expect(await snapshotsOf(repository, catalog, now)).toHaveLength(102)
  for (const { id } of [other, ...saved.slice(-1)]) {
    const mend = await rot(id)
    await expect(snapshotsOf(repository, catalog, now)).rejects.toMatchObject({ code: 'object-damaged' })
    await mend()
  }
  expect(await snapshotsOf(repository, catalog, now)).toHaveLength(102)
})

test('what is kept is not believed when it is damaged, and of a few nothing is kept', async () => {
  const { repository, saved, catalog, kept } = await repositoryWith(100)
  await snapshotsOf(repository, catalog, now)
  const content = await readFile(kept, 'utf8')
  await writeFile(kept, content.replace('n:7', 'n:8'))
  expect(await snapshotsOf(repository, catalog, now)).toEqual(saved)
  expect((await readFile(kept, 'utf8')).split('\n')[0]).toBe(content.split('\n')[0])
  await rm(kept)
  for (const { id } of saved.slice(50)) await repository.forgetSnapshot(id)
  const lists = vi.spyOn(repository, 'snapshotSizes')
  expect(await snapshotsOf(repository, catalog, now)).toEqual(saved.slice(0, 50))
  expect(lists).toHaveBeenCalledOnce()
  await expect(readFile(kept)).rejects.toThrow()
})
