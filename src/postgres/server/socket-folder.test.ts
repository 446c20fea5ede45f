import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeSocketFolder } from './socket-folder.ts'

test('empty folders that servers left behind go when another is made; those in use, of today or of others stay', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'holdfast-sockets-'))
  onTestFinished(() => rm(parent, { recursive: true }))
  const yesterday = new Date(Date.now() - 86_400_000)
  for (const name of ['holdfast-pg-00000000000a', 'holdfast-pg-00000000000b', 'holdfast-pg-00000000000c', 'somebodys']) {
    await mkdir(join(parent, name))
  }
  await writeFile(join(parent, 'holdfast-pg-00000000000b', '.s.PGSQL.5432'), '')
  for (const name of ['holdfast-pg-00000000000a', 'holdfast-pg-00000000000b', 'somebodys']) {
    await utimes(join(parent, name), yesterday, yesterday)
  }
  const [uid, gid] = [process.getuid?.() ?? -1, process.getgid?.() ?? -1]
  await makeSocketFolder(join(parent, 'holdfast-pg-00000000000d'), { name: 'whoever runs this', uid, gid }, true)
  expect((await readdir(parent)).toSorted((a, b) => a.localeCompare(b))).toEqual([
    'holdfast-pg-00000000000b',
    'holdfast-pg-00000000000c',
    'holdfast-pg-00000000000d',
    'somebodys',
  ])
})
