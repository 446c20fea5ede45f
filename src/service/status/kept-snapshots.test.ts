import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createRepository } from '../../repository/index.ts'
import { openLocalBackend } from '../../storage/index.ts'
import { snapshotsOf } from './kept-snapshots.ts'

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
  expect(await snapshotsOf(repository, catalog)).toEqual(saved)
  expect((await readFile(kept, 'utf8')).split('\n')).toHaveLength(1 + 100)
  // Of the same size: what was kept of it counts. Another size is read, and seen to be damaged.
  const [first, second] = saved
  const path = join(objects, first?.id ?? '')
  const sealed = await readFile(path)
  await writeFile(path, sealed.fill(0, 20, 30))
  expect(await snapshotsOf(repository, catalog)).toEqual(saved)
  await repository.forgetSnapshot(second?.id ?? '')
  const newest = await save(200)
  expect(await snapshotsOf(repository, catalog)).toEqual([first, ...saved.slice(2), newest])
  await truncate(path, 40)
  await expect(snapshotsOf(repository, catalog)).rejects.toMatchObject({ code: 'object-damaged' })
})

test('what is kept is not believed when it is damaged, and of a few nothing is kept', async () => {
  const { repository, saved, catalog, kept } = await repositoryWith(100)
  await snapshotsOf(repository, catalog)
  const content = await readFile(kept, 'utf8')
  await writeFile(kept, content.replace('n:7', 'n:8'))
  expect(await snapshotsOf(repository, catalog)).toEqual(saved)
  expect((await readFile(kept, 'utf8')).split('\n')[0]).toBe(content.split('\n')[0])
  await rm(kept)
  for (const { id } of saved.slice(50)) await repository.forgetSnapshot(id)
  expect(await snapshotsOf(repository, catalog)).toEqual(saved.slice(0, 50))
  await expect(readFile(kept)).rejects.toThrow()
})
