import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { holdfast } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository, testPassword } from '../support/restic.ts'
import { sampleTree } from '../support/sample-tree.ts'

const program = new URL('../../bin/holdfast.js', import.meta.url).pathname

/** With two snapshots of a folder that has everything. */
async function sample(restic: string) {
  const shared = sharedRepository(restic)
  await (await shared.create())[Symbol.asyncDispose]()
  const source = join(shared.folder, 'source')
  mkdirSync(source)
  await sampleTree(source)
  await shared.restic(['backup', '--tag', 'a,b', 'source'], { cwd: shared.folder })
  rmSync(join(source, 'zeros'))
  writeFileSync(join(source, 'new'), 'text '.repeat(10_000))
  await shared.restic(['backup', 'source'], { cwd: shared.folder })
  const env = { HOLDFAST_STATE_DIR: join(shared.folder, 'state') }
  const run = (...args: string[]) =>
    holdfast(['--repo', shared.path, '--password-file', shared.passwordFile, ...args], { env, cwd: shared.folder })
  /** What both print, byte by byte: a blob or a pack is no text, and may be larger than what is kept of one. */
  const printed = (theirs: readonly string[], ours: readonly string[]) => {
    const at = ['--repo', shared.path, '--password-file', shared.passwordFile]
    const options = { cwd: shared.folder, env: { ...process.env, ...env }, maxBuffer: 256 * 1024 * 1024 }
    return {
      theirs: execFileSync(restic, [...at, '--no-cache', ...theirs], options),
      ours: execFileSync(process.execPath, [program, ...at, ...ours], options),
    }
  }
  return { shared, run, printed }
}

describeWith('restic', 'looking after a repository beside restic', (restic) => {
  test('stats counts what restic counts, in every mode', async () => {
    const { shared, run } = await sample(restic)
    using _shared = shared
    interface Theirs {
      total_size: number
      total_file_count: number
      total_blob_count: number
      compression_ratio: number
    }
    const both = async (...args: string[]) => {
      const theirs = JSON.parse((await shared.restic(['stats', '--json', ...args])).stdout) as Theirs
      const ours = (await run('stats', '--json', ...args)).json<Record<string, number>>()
      expect(ours.sizeBytes).toBe(theirs.total_size)
      return { ours, theirs }
    }
    for (const args of [[], ['latest'], ['--tag', 'a']]) {
      const { ours, theirs } = await both(...args)
      const { files = 0, folders = 0, others = 0 } = ours
      expect(files + folders + others).toBe(theirs.total_file_count)
    }
    const contents = await both('--mode', 'files-by-contents')
    expect(contents.ours.files).toBe(contents.theirs.total_file_count)
    const perFile = await both('--mode', 'blobs-per-file')
    expect([perFile.ours.files, perFile.ours.blobs]).toEqual([perFile.theirs.total_file_count, perFile.theirs.total_blob_count])
    const raw = await both('--mode', 'raw-data')
    expect(raw.ours.blobs).toBe(raw.theirs.total_blob_count)
  })

  test('restic reads the tags that we give, and goes on from the same original', async () => {
    const { shared, run } = await sample(restic)
    using _shared = shared
    const snapshots = async () =>
      JSON.parse((await shared.restic(['snapshots', '--json'])).stdout) as { id: string; tags?: string[]; original?: string }[]
    const [first, second] = await snapshots()
    expect((await run('tag', '--add', 'c', '--remove', 'a', '--json')).json()).toMatchObject({ changed: [{}, {}], unchanged: 0 })
    expect(await snapshots()).toMatchObject([
      { tags: ['b', 'c'], original: first?.id },
      { tags: ['c'], original: second?.id },
    ])
    await shared.restic(['tag', '--set', 'theirs', '--tag', 'b'])
    expect((await run('tag', '--set', 'ours', '--tag', 'theirs', '--json')).json()).toMatchObject({
      changed: [{ tags: ['ours'] }],
    })
    expect(await snapshots()).toMatchObject([{ tags: ['ours'], original: first?.id }, { tags: ['c'] }])
    await shared.check()
    const shut = await shared.open()
    {
      await using _lock = await shut.lock('shared')
      expect(await run('tag', '--add', 'x')).toMatchObject({ exitCode: 11 })
    }
  })

  test('a key that we add opens restic, one that we change or remove does not', async () => {
    const { shared, run } = await sample(restic)
    using _shared = shared
    const second = join(shared.folder, 'second')
    writeFileSync(second, 'another one\n')
    const opens = async (password: string) => {
      const file = join(shared.folder, 'try')
      writeFileSync(file, password)
      return (await shared.restic(['snapshots', '--password-file', file], { mayFail: true })).exitCode === 0
    }
    const { key } = (await run('key', 'add', '--new-password-file', second, '--user', 'second', '--json')).json<{ key: string }>()
    expect(await opens('another one')).toBe(true)
    const listed = JSON.parse((await shared.restic(['key', 'list', '--json'])).stdout) as { userName: string }[]
    expect(listed.map(({ userName }) => userName)).toContain('second')
    const { keys } = (await run('key', 'list', '--json')).json<{ keys: { id: string; current: boolean }[] }>()
    const current = keys.find((key) => key.current)?.id ?? ''
    expect(await run('key', 'remove', current)).toMatchObject({ exitCode: 2 })
    expect(await run('key', 'remove', key.slice(0, 10))).toMatchObject({ exitCode: 0 })
    expect(await opens('another one')).toBe(false)
    expect(await opens(testPassword)).toBe(true)
    expect(await run('key', 'passwd', '--new-password-file', second)).toMatchObject({ exitCode: 0 })
    expect(await opens(testPassword)).toBe(false)
    expect(await opens('another one')).toBe(true)
    writeFileSync(shared.passwordFile, 'another one')
    await shared.check()
    // restic's own keys are keys.
    writeFileSync(second, 'a third')
    await shared.restic(['key', 'add', '--new-password-file', second])
    writeFileSync(shared.passwordFile, 'a third')
    expect((await run('key', 'list', '--json')).json<{ keys: unknown[] }>().keys).toHaveLength(2)
  })

  test('cat shows what restic shows', async () => {
    const { shared, run, printed } = await sample(restic)
    using _shared = shared
    const expectSame = (theirs: string[], ours: string[]) => {
      const both = printed(theirs, ours)
      expect(both.ours.length).toBeGreaterThan(0)
      expect(both.ours.equals(both.theirs)).toBe(true)
    }
    const list = async (kind: string) => (await shared.restic(['list', kind])).stdout.trim().split('\n')
    const [key = ''] = await list('keys')
    const [index = ''] = await list('index')
    const [snapshot = ''] = await list('snapshots')
    const blobs = (await list('blobs')).map((line) => line.split(' '))
    const tree = blobs.find(([type]) => type === 'tree')?.[1] ?? ''
    // Any of them: restic lists them in no order.
    const data = blobs.find(([type]) => type === 'data')?.[1] ?? ''
    const cases = [['config'], ['key', key], ['index', index], ['snapshot', snapshot], ['blob', tree]]
    for (const args of cases) {
      const theirs = JSON.parse((await shared.restic(['cat', ...args])).stdout) as unknown
      expect((await run('cat', ...args)).json()).toEqual(theirs)
      const [kind = '', id] = args
      expect((await run('cat', kind, ...(id === undefined ? [] : [id.slice(0, 16)]))).json()).toEqual(theirs)
    }
    const masterKey = (await run('cat', 'masterkey')).json<{ mac: { k: string }; encrypt: string }>()
    const theirs = JSON.parse((await shared.restic(['cat', 'masterkey'])).stdout) as typeof masterKey
    // restic 0.14 shows r with the bits cleared that Poly1305 clears when it is used.
    expect([masterKey.encrypt, masterKey.mac.k]).toEqual([theirs.encrypt, theirs.mac.k])
    expectSame(['cat', 'blob', tree], ['cat', 'tree', tree.slice(0, 20)])
    expectSame(['cat', 'blob', data], ['cat', 'blob', data])
    const [pack = ''] = await list('packs')
    expectSame(['cat', 'pack', pack], ['cat', 'pack', pack.slice(0, 12)])
    expect((await run('cat', 'tree', 'latest:/source/deep')).json()).toMatchObject({ nodes: [{ name: 'er' }, {}] })
    await using repository = await shared.open()
    {
      await using _lock = await repository.lock('shared')
      const [lock = ''] = (await repository.locks()).map(({ id }) => id)
      expect((await run('cat', 'lock', lock.slice(0, 8))).json()).toMatchObject({ exclusive: false, pid: process.pid })
    }
    expect(await run('cat', 'pack', 'ffffffffffffffffffff')).toMatchObject({ exitCode: 1 })
  })
})
