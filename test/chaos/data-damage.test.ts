import { cp, lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Catalog } from '../../src/catalog/index.ts'
import { readRecords } from '../../src/chaos/index.ts'
import { sha256Hex, type Finding } from '../../src/kernel/index.ts'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { holdfast } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository, testPassword } from '../support/restic.ts'
import { undoByHand } from '../support/undo-by-hand.ts'

/** Two snapshots by restic, with Holdfast's WAL beside them, and a folder for the copies. */
async function protectedFiles(restic: string) {
  const folder = await chaosFolder()
  const shared = sharedRepository(restic, folder.path)
  await using repository = await shared.create()
  const wal = 'holdfast/wal/7/00000001/0000000001000000-0000000002000000'
  await repository.area('holdfast/wal').put(wal.slice('holdfast/wal/'.length), Buffer.alloc(100_000, 'wal'))
  const data = join(folder.path, 'data')
  await mkdir(data)
  for (const name of ['first', 'second']) {
    await writeFile(join(data, name), Buffer.alloc(200_000, `${name} ${Math.random()}`))
    await shared.restic(['backup', data])
  }
  /** The codes of what a check finds to be wrong. */
  const check = async (repo: string): Promise<string[]> => {
    const at = ['--repo', repo, '--password-file', shared.passwordFile]
    const { exitCode, stdout, stderr } = await holdfast([...at, '--json', 'check', '--read-data', '--no-lock'])
    const said = (text: string) => JSON.parse(text.trim().split('\n').at(-1) ?? '') as { code: string; findings: Finding[] }
    const codes = stdout === '' ? [said(stderr).code] : said(stdout).findings.map(({ code }) => code)
    expect(exitCode).toBe(codes.length === 0 ? 0 : 1)
    return codes
  }
  return {
    path: folder.path,
    data,
    repository: shared.path,
    restic: (...args: Parameters<typeof shared.restic>) => shared.restic(...args),
    copyTo: join(folder.path, 'damaged'),
    wal,
    check,
    fingerprint: () => fingerprint(shared.path),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

/** The hash of every file, by its path. */
async function fingerprint(root: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile()) found[path.slice(root.length + 1)] = sha256Hex(await readFile(path))
  }
  return found
}

/** Paths whose content is not the same, or that are in one of them alone. */
function differences(before: Record<string, string>, after: Record<string, string>): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((path) => before[path] !== after[path])
}

describeWith('restic', 'damage to copies of backups', (restic) => {
  test.for([
    ['pack', { flipBits: 1 }, 'pack-damaged'],
    ['pack', { truncate: '16B' }, 'pack-size'],
    ['pack', 'remove', 'pack-missing'],
    ['index', { flipBits: 1 }, 'index-unreadable'],
    ['snapshot', { truncate: '1B' }, 'snapshot-unreadable'],
    ['key', 'remove', 'object-damaged'],
  ] as const)('%s, %j: a check of the copy finds it, and the original is as it was', async ([kind, damage, found]) => {
    await using files = await protectedFiles(restic)
    await using guard = await guardIn(files.path)
    const before = await files.fingerprint()
    const fault = await guard.inject(
      bound('data.damage', { folder: files.repository, copyTo: files.copyTo, kinds: [kind], damage }),
      60_000,
      never,
    )
    const changed = differences(before, await fingerprint(files.copyTo + `.holdfast-${fault.id}`))
    expect(changed).toHaveLength(1)
    expect(fault.targets[0]).toContain(changed[0])
    expect(await files.check(files.copyTo)).toContain(found)
    await fault.end()
    expect(differences(before, await files.fingerprint())).toEqual([])
    expect((await readdir(files.path)).filter((name) => name.startsWith('damaged'))).toEqual([])
  })

  test('without damage to what it needs, a copy restores; with it, restic says so', async () => {
    await using files = await protectedFiles(restic)
    await using guard = await guardIn(files.path)
    const password = join(files.path, 'password')
    await writeFile(password, testPassword)
    const restore = (to: string) =>
      files.restic(['--repo', files.copyTo, '--password-file', password, 'restore', 'latest', '--target', to], { mayFail: true })
    const damaged = async (params: object) =>
      await guard.inject(bound('data.damage', { folder: files.repository, copyTo: files.copyTo, ...params }), 60_000, never)

    const unneeded = await damaged({ kinds: ['wal'], damage: 'remove' })
    const back = join(files.path, 'back')
    expect((await restore(back)).exitCode).toBe(0)
    expect(await fingerprint(join(back, files.data))).toEqual(await fingerprint(files.data))
    await unneeded.end()

    await damaged({ kinds: ['pack'], choose: 'all', damage: { flipBits: 3 } })
    const { exitCode, stderr } = await restore(join(files.path, 'not back'))
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/ciphertext verification failed|invalid data returned/)
  })

  test('WAL of Holdfast and segments of an archive are found by their names', async () => {
    await using files = await protectedFiles(restic)
    await using guard = await guardIn(files.path)
    const wal = { folder: files.repository, copyTo: files.copyTo, kinds: ['wal'], damage: 'remove' }
    const fault = await guard.inject(bound('data.damage', wal), 60_000, never)
    expect(fault.targets).toEqual([`copy of ${files.repository}: ${files.wal} removed`])
    await fault.end()

    const archive = join(files.path, 'archive')
    await mkdir(archive)
    const segments = ['000000010000000000000001', '000000010000000000000002.gz', '000000010000000000000003.zst']
    for (const name of [...segments, '00000002.history', 'readme']) await writeFile(join(archive, name), `of ${name}`)
    const all = { folder: archive, copyTo: files.copyTo, kinds: ['wal'], choose: 'all', damage: { truncate: '1MiB' } }
    const cut = await guard.inject(bound('data.damage', all), 60_000, never)
    expect(cut.targets.toSorted()).toEqual(segments.map((name) => `copy of ${archive}: ${name} cut to 0 bytes`))
    expect(await readFile(join(files.copyTo, '00000002.history'), 'utf8')).toBe('of 00000002.history')
  })

  test('the same seed damages the same, another seed something else', async () => {
    await using files = await protectedFiles(restic)
    const damaged = async (seed: number) => {
      await using folder = await chaosFolder()
      await using guard = await guardIn(folder.path)
      const params = {
        folder: files.repository,
        copyTo: files.copyTo,
        kinds: ['pack', 'index'],
        choose: { count: 2 },
        damage: { flipBits: 8 },
        seed,
      }
      await guard.inject(bound('data.damage', params), 60_000, never)
      return await fingerprint(await realCopy(files.path))
    }
    const [first, again, other] = [await damaged(1), await damaged(1), await damaged(2)]
    expect(differences(first, again)).toEqual([])
    expect(differences(first, other)).not.toEqual([])
  })

  test('a copy where something is already, or within a repository of the catalog, is refused', async () => {
    await using files = await protectedFiles(restic)
    const catalog = { repositories: { nas: { location: files.repository } } } as unknown as Catalog
    await using guard = await guardIn(files.path, { catalog })
    const to = (copyTo: string) =>
      guard.inject(bound('data.damage', { repository: 'nas', copyTo, damage: 'remove' }), 60_000, never)
    await mkdir(files.copyTo)
    await symlink(files.repository, join(files.path, 'link'))
    for (const place of [
      files.copyTo,
      files.repository,
      join(files.repository, 'copy'),
      join(files.path, 'link', 'copy'),
      '/nowhere/copy',
    ])
      await expect(to(place), place).rejects.toMatchObject({ code: 'fault-refused' })
    expect(await readdir(files.copyTo)).toEqual([])
    expect(await files.check(files.repository)).toEqual([])
    expect(await readRecords(join(files.path, 'faults'))).toEqual([])
    await (await to(join(files.path, 'allowed'))).end()
  })

  test('what was put in the place of the copy meanwhile stays', async () => {
    await using files = await protectedFiles(restic)
    await using guard = await guardIn(files.path)
    const params = { folder: files.repository, copyTo: files.copyTo, damage: 'remove' }
    const fault = await guard.inject(bound('data.damage', params), 60_000, never)
    await rm(files.copyTo)
    await cp(files.repository, files.copyTo, { recursive: true })
    await fault.end()
    expect(await files.check(files.copyTo)).toEqual([])
  })

  test('the commands for people remove the copy', async () => {
    await using files = await protectedFiles(restic)
    await using guard = await guardIn(files.path)
    const params = { folder: files.repository, copyTo: files.copyTo, damage: 'remove' }
    const fault = await guard.inject(bound('data.damage', params), 60_000, never)
    await undoByHand(files.path, fault)
    expect(await fault.look(never)).toEqual({ state: 'absent' })
    await expect(lstat(files.copyTo)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('an experiment that is killed leaves no copy, at whatever step', { timeout: 600_000 }, async () => {
    await using files = await protectedFiles(restic)
    const before = await files.fingerprint()
    await expectNothingLeft(
      'data.damage',
      { folder: files.repository, copyTo: files.copyTo, damage: { flipBits: 1 } },
      async (after) => {
        expect(
          (await readdir(files.path)).filter((name) => name.startsWith('damaged')),
          after,
        ).toEqual([])
      },
    )
    expect(differences(before, await files.fingerprint())).toEqual([])
  })
})

async function realCopy(folder: string): Promise<string> {
  return join(folder, (await readdir(folder)).find((entry) => entry.startsWith('damaged.holdfast-')) ?? '')
}
