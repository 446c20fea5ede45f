import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { BackupSummary } from '../../src/backup/index.ts'
import { holdfast } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository } from '../support/restic.ts'

/** A folder with what the options tell apart. */
async function sample(restic: string) {
  const shared = sharedRepository(restic)
  await (await shared.create())[Symbol.asyncDispose]()
  const put = (path: string, content: string) => {
    const at = join(shared.folder, 'source', path)
    mkdirSync(join(at, '..'), { recursive: true })
    writeFileSync(at, content)
  }
  put('keep.log', 'k')
  put('a.log', 'a')
  put('deep/B.LOG', 'b')
  put('deep/large', 'x'.repeat(3000))
  put('cache/CACHEDIR.TAG', 'Signature: 8a477f597d28d172789f06886806bc55\n')
  put('cache/inner/x', 'x')
  put('no-cache/CACHEDIR.TAG', 'something else')
  put('no-cache/x', 'x')
  put('marked/.nobackup', '')
  put('marked/x', 'x')
  put('half/.nobackup', 'yes, really')
  put('half/x', 'x')
  writeFileSync(join(shared.folder, 'patterns'), '# a comment\n\n  *.log \n$LEFT_OUT\n')
  const env = { HOLDFAST_STATE_DIR: join(shared.folder, 'state'), LEFT_OUT: 'deep' }
  const run = (...args: string[]) =>
    holdfast(['--repo', shared.path, '--password-file', shared.passwordFile, ...args], { env, cwd: shared.folder })
  return { shared, run, env }
}

describeWith('restic', 'the options of backup beside restic', (restic) => {
  test.each([
    ['--exclude', '*.log'],
    ['--iexclude', '*.log', '--exclude', 'source/no-cache'],
    ['--exclude-file', 'patterns'],
    ['--iexclude-file', 'patterns'],
    ['--exclude-caches'],
    ['--exclude-if-present', '.nobackup'],
    ['--exclude-if-present', '.nobackup:yes', '--exclude-caches'],
    ['--exclude-larger-than', '2K'],
    ['-x', '-e', 'deep/*', '--ignore-inode'],
  ])('%s leaves out what it does in restic: the same tree', async (...options) => {
    const { shared, run, env } = await sample(restic)
    using _shared = shared
    await shared.restic(['backup', '--json', ...options, 'source'], { cwd: shared.folder, env })
    const { snapshot, filesNew, filesUnmodified, dataBlobs, treeBlobs } = (
      await run('backup', '--json', ...options, 'source')
    ).json<BackupSummary>()
    expect({ filesNew, dataBlobs, treeBlobs }).toEqual({ filesNew: 0, dataBlobs: 0, treeBlobs: 0 })
    expect(filesUnmodified).toBeLessThan(12)
    const snapshots = JSON.parse((await shared.restic(['snapshots', '--json'])).stdout) as {
      id: string
      tree: string
    }[]
    expect(snapshots[1]).toMatchObject({ id: snapshot, tree: snapshots[0]?.tree })
  })

  test('paths come from files: patterns, lines, and names of any bytes', async () => {
    const { shared, run } = await sample(restic)
    using _shared = shared
    const raw = Buffer.from([0x73, 0x6f, 0x75, 0x72, 0x63, 0x65, 0x2f, 0xff, 0x0a, 0x78])
    writeFileSync(Buffer.concat([Buffer.from(`${shared.folder}/`), raw]), 'raw')
    writeFileSync(join(shared.folder, 'globs'), '# these\nsource/*.log\nsource/none*\n')
    writeFileSync(join(shared.folder, 'lines'), 'source/deep/large\n\n')
    writeFileSync(join(shared.folder, 'raw'), Buffer.concat([raw, Buffer.of(0)]))
    const args = ['--files-from', 'globs', '--files-from-verbatim', 'lines', '--files-from-raw', 'raw']
    const { exitCode, stderr } = await run('backup', ...args)
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: expect.stringContaining("'source/none*' of globs matches nothing"),
    })
    const theirs = await shared.restic(['backup', '--json', ...args], { cwd: shared.folder })
    expect(theirs.stdout).toMatch(/"data_blobs":0,"tree_blobs":0/)
    const listed = (await run('ls', 'latest')).stdout.trimEnd().split('\n')
    expect(listed).toHaveLength(6)
    expect(await run('backup', '--files-from-raw', 'lines')).toMatchObject({ exitCode: 2 })
  })

  test('stdin and a command are saved as one file; a command that fails leaves no snapshot', async () => {
    const { shared, run, env } = await sample(restic)
    using _shared = shared
    const command = await run(
      'backup',
      '--stdin-from-command',
      '--stdin-filename',
      'db/dump.sql',
      '--tag',
      'a,b',
      '--json',
      '--',
      'sh',
      '-c',
      'printf "some rows"',
    )
    expect(command).toMatchObject({ exitCode: 0 })
    expect((await shared.restic(['dump', 'latest', '/db/dump.sql'])).stdout).toBe('some rows')
    const [snapshot] = JSON.parse((await shared.restic(['snapshots', '--json'])).stdout) as { paths: string[]; tags: string[] }[]
    expect(snapshot).toMatchObject({ paths: ['/db/dump.sql'], tags: ['a', 'b'] })
    const failed = await run('backup', '--stdin-from-command', '--', 'sh', '-c', 'printf half; exit 7')
    expect(failed).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('exit code 7') })
    // The shell pipes, as a user would.
    const program = new URL('../../bin/holdfast.js', import.meta.url).pathname
    const line = `printf piped | ${process.execPath} ${program} --repo ${shared.path} --password-file ${shared.passwordFile} backup --stdin --stdin-name piped`
    const piped = spawn('sh', ['-c', line], { env: { ...process.env, ...env }, stdio: 'ignore' })
    expect(await new Promise((resolve) => piped.once('close', resolve))).toBe(0)
    expect((await shared.restic(['dump', 'latest', '/piped'])).stdout).toBe('piped')
    // Nothing on stdin.
    expect(await run('backup', '--stdin')).toMatchObject({ exitCode: 3 })
    expect(JSON.parse((await shared.restic(['snapshots', '--json'])).stdout)).toHaveLength(2)
    await shared.check()
  })

  test('an unchanged tree needs no snapshot, a snapshot may have another time, but not one to come', async () => {
    const { shared, run } = await sample(restic)
    using _shared = shared
    const { snapshot } = (await run('backup', 'source', '--json', '--time', '2001-02-03 04:05:06Z')).json<BackupSummary>()
    const list = async () => JSON.parse((await shared.restic(['snapshots', '--json'])).stdout) as { id: string; time: string }[]
    expect(await list()).toMatchObject([{ id: snapshot, time: expect.stringMatching(/^2001-02-03T/) }])
    const again = (await run('backup', 'source', '--skip-if-unchanged', '--json')).json<BackupSummary>()
    expect(again).toMatchObject({ unchanged: true, parent: snapshot })
    expect(again.snapshot).toBeUndefined()
    expect(await list()).toHaveLength(1)
    writeFileSync(join(shared.folder, 'source/new'), 'new')
    expect(
      (await run('backup', 'source', '--skip-if-unchanged', '--full', '--json')).json<BackupSummary>().snapshot,
    ).toBeDefined()
    expect(await run('backup', 'source', '--time', '2999-01-01')).toMatchObject({ exitCode: 2 })
    expect(await list()).toHaveLength(2)
  })

  test('--with-atime keeps when files were last read, as restic does', async () => {
    const { shared, run } = await sample(restic)
    using _shared = shared
    utimesSync(join(shared.folder, 'source/a.log'), 1_000_000_000, 1_200_000_000)
    await run('backup', '--with-atime', 'source/a.log')
    const nodes = (await shared.restic(['ls', 'latest', '--json'])).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { path?: string; atime?: string })
    expect(Date.parse(nodes.find(({ path }) => path === '/source/a.log')?.atime ?? '')).toBe(1_000_000_000_000)
    expect(readFileSync(join(shared.folder, 'source/a.log'), 'utf8')).toBe('a')
  })
})
