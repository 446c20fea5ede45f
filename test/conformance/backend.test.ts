import { chmod, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { HoldfastError, sha256Hex } from '../../src/kernel/index.ts'
import { createMemoryBackend, faulty, openLocalBackend } from '../../src/storage/index.ts'
import { backendConformance } from './backend.ts'

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-backend-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

async function local() {
  const folder = await temporaryFolder()
  const backend = await openLocalBackend(join(folder.path, 'repository'))
  return { backend, path: backend.location, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

function memory() {
  const backend = createMemoryBackend()
  return Promise.resolve({ backend, [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose]() })
}

describe('local backend', () => {
  backendConformance(local)

  test('of many objects each is listed once, with its size', async () => {
    await using made = await local()
    const sizes = new Map(Array.from({ length: 150 }, (_, index) => [sha256Hex(`${index}`), index]))
    for (const [id, size] of sizes) await made.backend.put('snapshots', id, Buffer.alloc(size))
    const listed = await Array.fromAsync(made.backend.list('snapshots'))
    expect(listed).toHaveLength(sizes.size)
    expect(new Map(listed.map(({ name, sizeBytes }) => [name, sizeBytes]))).toEqual(sizes)
  })

  test("a new repository has restic's folders, private to the owner, and read-only files", async () => {
    await using made = await local()
    await made.backend.prepare?.()
    const id = sha256Hex('x')
    await made.backend.put('data', id, Buffer.from('x'))
    expect((await readdir(made.path)).sort()).toEqual(['data', 'index', 'keys', 'locks', 'snapshots'])
    expect(await readdir(join(made.path, 'data'))).toHaveLength(256)
    const mode = async (...parts: string[]) => ((await stat(join(made.path, ...parts))).mode & 0o777).toString(8)
    expect([await mode(), await mode('keys'), await mode('data', id.slice(0, 2))]).toEqual(['700', '700', '700'])
    expect(await mode('data', id.slice(0, 2), id)).toBe('400')
  })

  test("a config that the group may read opens the repository's new files to the group", async () => {
    await using made = await local()
    await made.backend.put('config', '', Buffer.from('x'))
    await chmod(join(made.path, 'config'), 0o440)
    const again = await openLocalBackend(made.path)
    await again.put('index', sha256Hex('y'), Buffer.from('y'))
    expect((await stat(join(made.path, 'index', sha256Hex('y')))).mode & 0o777).toBe(0o440)
    expect((await stat(join(made.path, 'index'))).mode & 0o777).toBe(0o770)
  })

  test('left-over temporary files and foreign names are not listed', async () => {
    await using made = await local()
    const id = sha256Hex('x')
    await made.backend.put('index', id, Buffer.from('x'))
    await made.backend.put('holdfast/wal', '1/a', Buffer.from('x'))
    await writeFile(join(made.path, 'index', `${id}-tmp-00aa11bb22cc`), 'half')
    await writeFile(join(made.path, 'index', 'README'), 'not ours')
    await writeFile(join(made.path, 'holdfast/wal/1/b-tmp-00aa11bb22cc'), 'half')
    expect(await Array.fromAsync(made.backend.list('index'))).toHaveLength(1)
    expect(await Array.fromAsync(made.backend.list('holdfast/wal'))).toHaveLength(1)
  })

  test('left-over temporary files are told with their age by the clock of the storage, and nothing else is removed as one', async () => {
    await using made = await local()
    const { backend, path } = made
    for (const kind of ['locks', 'index'] as const) await backend.put(kind, sha256Hex('l'), Buffer.from('l'))
    await backend.put('holdfast/wal', '1/a', Buffer.from('x'))
    const names = ['config-tmp-1', `index/${sha256Hex('x')}-tmp-00aa11bb22cc`, 'holdfast/wal/1/b-tmp-00aa11bb22cc']
    for (const name of [...names, 'other-tmp-1']) await writeFile(join(path, name), 'half')
    const found = await Array.fromAsync(backend.leftovers?.() ?? [])
    expect(found.map(({ name }) => name).toSorted()).toEqual(names.toSorted())
    // The file server's clock is an hour behind: what is written now looks old by ours.
    const hourAgo = Date.now() / 1000 - 3600
    await utimes(join(path, 'config-tmp-1'), hourAgo, hourAgo)
    const ageMs = async () =>
      (await Array.fromAsync(backend.leftovers?.() ?? [])).find(({ name }) => name === 'config-tmp-1')?.ageMs
    expect(await ageMs()).toBeGreaterThan(3_500_000)
    await utimes(join(path, 'locks', sha256Hex('l')), hourAgo, hourAgo)
    expect(await ageMs()).toBeLessThan(1000)
    for (const name of [`locks/${sha256Hex('l')}`, '../x-tmp-1', 'other/x-tmp-1', 'holdfast/../../x-tmp-1'])
      await expect(backend.removeLeftover?.(name)).rejects.toMatchObject({ code: 'internal' })
    for (const name of names) await backend.removeLeftover?.(name)
    expect(await Array.fromAsync(backend.leftovers?.() ?? [])).toEqual([])
  })

  test('a path that is a file is not a repository', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'file'), '')
    await expect(openLocalBackend(join(folder.path, 'file'))).rejects.toMatchObject({ code: 'not-a-repository', exitCode: 10 })
  })

  test.runIf(process.platform === 'linux' && process.getuid?.() === 0)(
    'a full disk is a clear error, and leaves nothing behind',
    async () => {
      await using folder = await temporaryFolder()
      const mount = join(folder.path, 'small')
      await mkdir(mount)
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount]).status).toBe(0)
      try {
        const backend = await openLocalBackend(mount)
        const id = sha256Hex('big')
        const failure = backend.put('data', id, [Buffer.alloc(900_000), Buffer.alloc(900_000)])
        await expect(failure).rejects.toMatchObject({ code: 'disk-full', exitCode: 1 })
        expect(await readdir(join(mount, 'data', id.slice(0, 2)))).toEqual([])
        await backend.put('data', id, Buffer.alloc(500_000))
        expect(await backend.stat('data', id)).toMatchObject({ sizeBytes: 500_000 })
      } finally {
        spawnSync('umount', [mount])
      }
    },
  )
})

describe('memory backend', () => {
  backendConformance(memory)
})

describe('faulty backend without a script', () => {
  backendConformance(async () => {
    const inner = await memory()
    return { ...inner, backend: faulty(inner.backend, []) }
  })
})

describe('faulty backend', () => {
  const id = sha256Hex('x')
  const bytes = Buffer.from('eight by')

  test('fails the call its script names, and no other', async () => {
    const error = new HoldfastError('storage-failed', { message: 'by script' })
    const backend = faulty(createMemoryBackend(), [{ on: 'put', kind: 'data', nth: 2, fault: { type: 'error', error } }])
    await backend.put('data', id, bytes)
    await backend.put('index', id, bytes)
    await expect(backend.put('data', sha256Hex('y'), bytes)).rejects.toBe(error)
    await backend.put('data', sha256Hex('y'), bytes)
  })

  test('a crash after a call leaves its effect, and fails all that follows', async () => {
    const inner = createMemoryBackend()
    const backend = faulty(inner, [{ on: 'put', nth: 1, fault: { type: 'crash', at: 'after' } }])
    await expect(backend.put('data', id, bytes)).rejects.toMatchObject({ code: 'storage-failed' })
    await expect(backend.get('data', id)).rejects.toMatchObject({ code: 'storage-failed' })
    expect(await inner.stat('data', id)).toBeDefined()
  })

  test('flips one bit or truncates what is read', async () => {
    const inner = createMemoryBackend()
    await inner.put('data', id, bytes)
    const backend = faulty(inner, [
      { on: 'get', nth: 1, fault: { type: 'flip-bit', bit: 8 } },
      { on: 'get', nth: 2, fault: { type: 'truncate', keepBytes: 3 } },
    ])
    expect(Buffer.from(await backend.get('data', id)).toString()).toBe('ehght by')
    expect(await backend.get('data', id)).toHaveLength(3)
    expect(Buffer.from(await backend.get('data', id))).toEqual(bytes)
  })
})
