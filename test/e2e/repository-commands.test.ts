import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createRepository, openRepository } from '../../src/repository/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'
import { holdfast, temporaryFolder, type HoldfastResult } from '../support/holdfast.ts'

const password = 'correct horse'

interface Place extends AsyncDisposable {
  readonly folder: string
  readonly repo: string
  /** Runs the program on the repository. */
  run(...args: string[]): Promise<HoldfastResult>
}

async function place(): Promise<Place> {
  const folder = await temporaryFolder('commands')
  const repo = join(folder.path, 'repository')
  writeFileSync(join(folder.path, 'password'), `${password}\n`)
  const env = { HOLDFAST_STATE_DIR: join(folder.path, 'state') }
  return {
    folder: folder.path,
    repo,
    run: (...args) =>
      holdfast(['--repo', repo, '--password-file', join(folder.path, 'password'), ...args], { env, cwd: folder.path }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

/** With one snapshot of /…/data: `one`, `two` with a megabyte, and a folder. */
async function placeWithSnapshot(): Promise<Place> {
  const made = await place()
  // With a cheap key: the program opens it many times.
  await createRepository(await openLocalBackend(made.repo), password, { kdf: { N: 1024, r: 8, p: 1 } })
  mkdirSync(join(made.folder, 'data', 'inner'), { recursive: true })
  writeFileSync(join(made.folder, 'data', 'one'), 'some content')
  writeFileSync(join(made.folder, 'data', 'inner', 'two'), Buffer.alloc(1_000_000, 'x'))
  const backup = await made.run('backup', 'data')
  if (backup.exitCode !== 0) throw new Error(backup.stderr)
  return made
}

/** An exclusive lock that stands while a test looks. */
async function lockExclusively(repo: string) {
  const repository = await openRepository(await openLocalBackend(repo), password)
  return repository.lock('exclusive')
}

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
}

test('init makes a repository once, private to its owner, and says that the password matters', async () => {
  await using made = await place()
  const first = await made.run('init')
  expect(first).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`made at ${made.repo}`) })
  expect(statSync(made.repo).mode & 0o777).toBe(0o700)
  expect(await made.run('--json', 'init')).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringContaining('"repository-exists"'),
  })
})

test('bad places and passwords have exit codes of their own, and say what to do', async () => {
  await using made = await placeWithSnapshot()
  writeFileSync(join(made.folder, 'wrong'), 'incorrect horse')
  const at = (repo: string, file: string) => holdfast(['--repo', repo, '--password-file', file, 'snapshots'])
  const good = join(made.folder, 'password')
  expect(await at(made.repo, join(made.folder, 'wrong'))).toMatchObject({
    exitCode: 12,
    stdout: '',
    stderr: expect.stringMatching(/the password does not open the key of .*\nHINT: /),
  })
  expect(await at(join(made.folder, 'data'), good)).toMatchObject({
    exitCode: 10,
    stderr: expect.stringContaining('is not a repository'),
  })
  expect(await at(join(made.folder, 'nowhere'), good)).toMatchObject({
    exitCode: 10,
    stderr: expect.stringMatching(/there is no repository at .*\nHINT: .*init/),
  })
  expect(await at(good, good)).toMatchObject({ exitCode: 10, stderr: expect.stringContaining('is a file, not a repository') })
  const env = { HOLDFAST_PASSWORD_FILE: undefined, HOLDFAST_PASSWORD: undefined }
  expect(await holdfast(['--repo', made.repo, 'snapshots'], { env })).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/no password .*\nHINT: .*--password-file/),
  })
})

test('no error shows the password', async () => {
  await using made = await placeWithSnapshot()
  const env = { HOLDFAST_PASSWORD: 'incorrect horse', HOLDFAST_DEBUG: '1', HOLDFAST_PASSWORD_FILE: undefined }
  const result = await holdfast(['--repo', made.repo, 'snapshots'], { env })
  expect(result.exitCode).toBe(12)
  expect(result.stdout + result.stderr).not.toContain('incorrect horse')
})

test('snapshots lists what there is, as a table or as JSON, and filters it', async () => {
  await using made = await placeWithSnapshot()
  await made.run('backup', 'data', '--tag', 'monthly', '--host', 'elsewhere')
  const listed = await made.run('snapshots')
  expect(listed.stdout).toMatch(/^ID +Time +Host +Size +Tags +Paths\n/)
  expect(listed.stdout).toContain('2 snapshots')
  const { snapshots } = (await made.run('--json', 'snapshots', '--tag', 'monthly')).json<{
    snapshots: Record<string, unknown>[]
  }>()
  expect(snapshots).toMatchObject([{ hostname: 'elsewhere', tags: ['monthly'], paths: [join(made.folder, 'data')] }])
  expect((await made.run('snapshots', '--host', 'nowhere')).stdout).toBe('none of 2 snapshots matches\n')
})

test('ls lists everything, or one folder, and says when there is no such thing', async () => {
  await using made = await placeWithSnapshot()
  expect((await made.run('ls', 'latest')).stdout.split('\n')).toEqual([
    '/data',
    '/data/inner',
    '/data/inner/two',
    '/data/one',
    '',
  ])
  expect((await made.run('ls', 'latest', '/data/inner')).stdout).toBe('/data/inner\n/data/inner/two\n')
  expect((await made.run('ls', 'latest', '/data', '--long')).stdout).toMatch(/^drwx.*\/data\n.*\n-rw.* 12 .*\/data\/one\n$/)
  const { nodes } = (await made.run('--json', 'ls', 'latest', '/data/inner/two')).json<{ nodes: Record<string, unknown>[] }>()
  expect(nodes).toMatchObject([{ path: '/data/inner/two', type: 'file', size: 1_000_000 }])
  expect(await made.run('ls', 'latest', '/data/three')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('there is no "/data/three"'),
  })
  expect(await made.run('ls', 'ffffffff')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("no snapshot 'ffffffff'"),
  })
})

test('cat shows objects as they are stored', async () => {
  await using made = await placeWithSnapshot()
  expect(JSON.parse((await made.run('cat', 'config')).stdout)).toMatchObject({ version: 2 })
  const snapshot = JSON.parse((await made.run('cat', 'snapshot', 'latest')).stdout) as { tree: string }
  const root = JSON.parse((await made.run('cat', 'tree', snapshot.tree)).stdout) as { nodes: { name: string; subtree: string }[] }
  expect(root.nodes).toMatchObject([{ name: 'data', type: 'dir' }])
  const data = JSON.parse((await made.run('cat', 'tree', root.nodes[0]?.subtree ?? '')).stdout) as {
    nodes: { content: string[] }[]
  }
  expect((await made.run('cat', 'blob', data.nodes[1]?.content[0] ?? '')).stdout).toBe('some content')
  const missing = await made.run('cat', 'blob', 'abc')
  expect(missing).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("there is no blob 'abc'") as string })
})

test('a damaged snapshot does not hide the others, and is told', async () => {
  await using made = await placeWithSnapshot()
  await made.run('backup', 'data', '--tag', 'second')
  const [snapshot = ''] = files(join(made.repo, 'snapshots'))
  chmodSync(snapshot, 0o600)
  truncateSync(snapshot, 10)
  const listed = await made.run('snapshots')
  expect(listed).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('1 snapshot\n') })
  expect(listed.stderr).toContain(`not in this list: snapshot ${snapshot.split('/').at(-1)?.slice(0, 8)}`)
})

test('check passes on a sound repository, and puts on record what it looked at', async () => {
  await using made = await placeWithSnapshot()
  const sound = await made.run('check', '--read-data')
  expect(sound).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/1 snapshots.*\n.*2 packs.*\nno errors were found\n$/),
  })
  const { records } = (await made.run('--json', 'ledger', 'show', '--kind', 'check')).json<{ records: unknown[] }>()
  expect(records).toMatchObject([{ kind: 'check', body: { depth: 'data', snapshots: 1, findings: [] } }])
})

test('check of a repository without snapshots fails: it has looked at nothing', async () => {
  await using made = await place()
  await made.run('init')
  expect(await made.run('check', '--read-data')).toMatchObject({
    exitCode: 1,
    stdout: expect.stringContaining('nothing was checked'),
  })
})

test('check --read-data finds a flipped bit, names pack, snapshot and file, and ends with 1', async () => {
  await using made = await placeWithSnapshot()
  const { snapshots } = (await made.run('--json', 'snapshots')).json<{ snapshots: { id: string; shortId: string }[] }>()
  const pack = files(join(made.repo, 'data')).find((file) => readFileSync(file).length > 0) ?? ''
  chmodSync(pack, 0o600)
  const bytes = readFileSync(pack)
  bytes[40] = (bytes[40] ?? 0) ^ 0x10
  writeFileSync(pack, bytes)
  const found = await made.run('check', '--read-data')
  expect(found.exitCode).toBe(1)
  expect(found.stdout).toContain(`pack ${pack.split('/').at(-1)} is damaged`)
  expect(found.stdout).toContain(`affected snapshot: ${snapshots[0]?.shortId}`)
  const report = (await made.run('--json', 'check', '--read-data', '--no-record')).json<{ ok: boolean; findings: unknown[] }>()
  expect(report).toMatchObject({ ok: false, findings: [{ code: 'pack-damaged', snapshots: [snapshots[0]?.id] }] })
})

test('a truncated pack and an index of zero bytes are found by a plain check, and do not stop ls', async () => {
  await using made = await placeWithSnapshot()
  const [index = ''] = files(join(made.repo, 'index'))
  chmodSync(index, 0o600)
  truncateSync(index, 0)
  expect(await made.run('check')).toMatchObject({
    exitCode: 1,
    stdout: expect.stringContaining('its 0 bytes were altered or truncated'),
  })
  expect((await made.run('ls', 'latest')).stdout).toContain('/data/inner/two')
  const [pack = ''] = files(join(made.repo, 'data'))
  chmodSync(pack, 0o600)
  truncateSync(pack, 100)
  expect(await made.run('check')).toMatchObject({ exitCode: 1 })
})

test('what another one has locked is refused with 11, and unlock removes only what nobody holds', async () => {
  await using made = await placeWithSnapshot()
  await using _lock = await lockExclusively(made.repo)
  for (const args of [['backup', 'data'], ['snapshots'], ['ls', 'latest'], ['check']])
    expect(await made.run(...args)).toMatchObject({
      exitCode: 11,
      stderr: expect.stringContaining(`locked by process ${process.pid}`),
    })
  expect(await made.run('snapshots', '--no-lock')).toMatchObject({ exitCode: 0 })
  expect(await made.run('unlock')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^no lock was removed\nin use: the exclusive lock/),
  })
  expect(await made.run('snapshots')).toMatchObject({ exitCode: 11 })
  expect(await made.run('unlock', '--remove-all')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('removed the exclusive lock'),
  })
  expect(await made.run('snapshots')).toMatchObject({ exitCode: 0 })
})

test('white space around the password in its file does not count, as with restic: one file serves both', async () => {
  await using made = await placeWithSnapshot()
  writeFileSync(join(made.folder, 'password'), ` ${password}\t\n\n`)
  expect(await made.run('snapshots')).toMatchObject({ exitCode: 0 })
})

test('what others have named reaches the terminal as text, wherever it is listed', async () => {
  await using made = await place()
  await createRepository(await openLocalBackend(made.repo), password, { kdf: { N: 1024, r: 8, p: 1 } })
  const hostile = '\u001B]0;owned\u0007\u009B2J\nforged'
  mkdirSync(join(made.folder, hostile))
  writeFileSync(join(made.folder, hostile, 'file'), 'content')
  const shown = String.raw`\u{1b}]0;owned\u{7}\u{9b}2J\u{a}forged`
  expect(await made.run('backup', hostile, '--tag', `tag ${hostile}`, '--host', `host ${hostile}`)).toMatchObject({ exitCode: 0 })
  const lists = [await made.run('snapshots'), await made.run('ls', 'latest'), await made.run('ls', 'latest', '--long')]
  for (const { stdout, stderr } of lists) {
    expect(stdout).toContain(shown)
    expect(`${stdout}${stderr}`).not.toMatch(/[^\P{Cc}\n]/u)
  }
  expect(lists[0]?.stdout).toContain(`host ${shown}`)
  expect(lists[0]?.stdout).toContain(`tag ${shown}`)
})
