import { mkdirSync, mkdtempDisposableSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { backup } from '../../src/backup/index.ts'
import { createRepository, type TreeNode } from '../../src/repository/index.ts'
import { createFilesSource } from '../../src/sources/index.ts'
import { createMemoryBackend } from '../../src/storage/index.ts'
import { mounted } from '../support/mounted.ts'

const { signal } = new AbortController()

describe.skipIf(process.getuid?.() !== 0)('a file system that does not say what its names are (needs root, to make one)', () => {
  test('is backed up whole, names that are no text too', async () => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'holdfast-untyped-'))
    await using disk = await mounted(folder.path, 'ext4', 'noatime', ['^filetype'])
    const inner = join(disk.path, 'inner')
    mkdirSync(join(inner, 'deep'), { recursive: true })
    writeFileSync(join(inner, 'deep', 'file'), 'in the depth')
    symlinkSync('nowhere', join(inner, 'link'))
    const names = ['a', 'ü', Buffer.from([0xff, 0xfe])]
    for (const name of names) writeFileSync(Buffer.concat([Buffer.from(`${inner}/`), Buffer.from(name)]), 'text')
    await using repository = await createRepository(createMemoryBackend(), 'password', { kdf: { N: 32768, r: 8, p: 1 } })
    const backUp = () =>
      backup({ repository, source: createFilesSource({ paths: ['.'], workingDirectory: inner }) }, () => {}, signal)
    const first = await backUp()
    expect(first).toMatchObject({ filesNew: 4, skipped: [] })
    const { tree } = await repository.findSnapshot(first.snapshot ?? '')
    const kinds = (nodes: readonly TreeNode[]) => nodes.map(({ name, type }) => `${name.toString('latin1')} ${type}`)
    const nodes = await repository.readTree(tree)
    expect(kinds(nodes)).toEqual(['a file', 'deep dir', 'link symlink', 'Ã¼ file', 'ÿþ file'])
    const deep = nodes.find(({ type }) => type === 'dir')?.subtree ?? ''
    expect(kinds(await repository.readTree(deep))).toEqual(['file file'])
    expect(await backUp()).toMatchObject({ filesUnmodified: 4, bytesRead: 0, skipped: [] })
  })
})
