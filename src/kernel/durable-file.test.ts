import { chown, link, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createFileDurably, giveName, writeFileDurably } from './durable-file.ts'

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-kernel-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

test('a file is replaced whole, with its mode, and nothing is left beside it', async () => {
  const path = join(await temporaryFolder(), 'state')
  await writeFileDurably(path, 'old')
  await writeFileDurably(path, 'new', { mode: 0o640 })
  expect(await readFile(path, 'utf8')).toBe('new')
  expect((await stat(path)).mode & 0o777).toBe(0o640)
  expect(await readdir(join(path, '..'))).toEqual(['state'])
})

test('a failed write leaves the old content and no temporary file', async () => {
  const folder = await temporaryFolder()
  await writeFileDurably(join(folder, 'state'), 'old')
  // A directory in the way makes the rename fail after the data was written.
  await expect(writeFileDurably(folder, 'new')).rejects.toThrow()
  expect(await readdir(folder)).toEqual(['state'])
})

test('a file that is written in parts is there when all of it is, and not before; given up, it leaves nothing', async () => {
  const folder = await temporaryFolder()
  const path = join(folder, 'export')
  {
    await using file = await createFileDurably(path, { exclusive: true })
    await file.write('one ')
  }
  expect(await readdir(folder)).toEqual([])
  await using file = await createFileDurably(path, { exclusive: true })
  for (const part of ['one ', 'two ', 'three']) await file.write(part)
  expect(await readdir(folder)).not.toContain('export')
  await file.commit()
  expect(await readFile(path, 'utf8')).toBe('one two three')
  await using second = await createFileDurably(path, { exclusive: true })
  await expect(second.commit()).rejects.toMatchObject({ code: 'EEXIST' })
})

test.runIf(process.getuid?.() === 0)('nothing is replaced where there are no links either', async () => {
  const folder = await temporaryFolder()
  const at = (name: string) => join(folder, name)
  for (const name of ['first', 'second']) await writeFile(at(name), name)
  await chown(folder, 65534, 65534)
  // Linux lets nobody link to what belongs to others (protected_hardlinks): as FAT, it says EPERM.
  process.seteuid?.(65534)
  onTestFinished(() => process.seteuid?.(0))
  await expect(link(at('first'), at('export'))).rejects.toMatchObject({ code: 'EPERM' })
  await expect(giveName(at('first'), at('export'), true)).rejects.toMatchObject({ code: 'EPERM' })
  await giveName(at('first'), at('export'), 'also-without-links')
  await expect(giveName(at('second'), at('export'), 'also-without-links')).rejects.toMatchObject({ code: 'EEXIST' })
  expect((await readdir(folder)).toSorted()).toEqual(['export', 'second'])
  process.seteuid?.(0)
  expect(await readFile(at('export'), 'utf8')).toBe('first')
})
