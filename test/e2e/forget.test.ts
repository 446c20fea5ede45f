import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { backup } from '../../src/backup/index.ts'
import { createRepository, type Repository } from '../../src/repository/index.ts'
import { createFilesSource } from '../../src/sources/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'
import { holdfast, temporaryFolder, type HoldfastResult } from '../support/holdfast.ts'

const password = 'correct horse'
const { signal } = new AbortController()

interface Place extends AsyncDisposable {
  readonly folder: string
  readonly repository: Repository
  run(...args: string[]): Promise<HoldfastResult>
  /** A snapshot of one tree, dated as told. */
  save(time: string, tags?: readonly string[]): Promise<string>
}

async function place(): Promise<Place> {
  const { path: folder, [Symbol.asyncDispose]: remove } = await temporaryFolder('forget')
  writeFileSync(join(folder, 'password'), password)
  const path = join(folder, 'repository')
  const repository = await createRepository(await openLocalBackend(path), password, { kdf: { N: 1024, r: 8, p: 1 } })
  mkdirSync(join(folder, 'source'))
  const source = createFilesSource({ paths: [join(folder, 'source')] })
  const { snapshot = '' } = await backup({ repository, source }, () => {}, signal)
  const { tree, paths } = await repository.readSnapshot(snapshot)
  await repository.forgetSnapshot(snapshot)
  return {
    folder,
    repository,
    run: (...args) => holdfast(args, { cwd: folder, env: { HOLDFAST_STATE_DIR: join(folder, 'state') } }),
    async save(time, tags = []) {
      const { id } = await repository.saveSnapshot({ time, tree, paths, hostname: 'here', tags })
      return id
    },
    async [Symbol.asyncDispose]() {
      await repository[Symbol.asyncDispose]()
      await remove()
    },
  }
}

const at = ['--repo', 'repository', '--password-file', 'password']

test('without a rule nothing is removed, and the message says what to give', async () => {
  await using made = await place()
  await made.save('2025-01-01T10:00:00Z')
  const refused = await made.run(...at, 'forget')
  expect(refused).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/no rule says what is kept.*\nHINT: .*--keep-daily/),
  })
  expect(await made.run(...at, 'forget', '--unsafe-allow-remove-all')).toMatchObject({ exitCode: 2 })
  expect(await made.repository.snapshotIds()).toHaveLength(1)
})

test('rules that keep nothing of a group remove nothing of any group', async () => {
  await using made = await place()
  await made.save('2025-01-01T10:00:00Z', ['kept'])
  await made.save('2025-01-02T10:00:00Z', ['kept'])
  const refused = await made.run(...at, 'forget', '--keep-tag', 'kpet', '--json')
  expect(refused).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('"would-remove-all"') })
  expect(await made.repository.snapshotIds()).toHaveLength(2)
  // Asked for in so many words, it is done.
  const removed = await made.run(...at, 'forget', '--unsafe-allow-remove-all', '--tag', 'kept')
  expect(removed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('removed 2 snapshots, kept 0') })
  expect(await made.repository.snapshotIds()).toEqual([])
})

test('a dry run shows each decision with its reason, as a table and as JSON, and removes nothing', async () => {
  await using made = await place()
  const evening = await made.save('2025-01-02T20:00:00Z')
  const morning = await made.save('2025-01-02T08:00:00Z')
  const before = await made.save('2025-01-01T08:00:00Z')
  const rules = ['forget', '--keep-daily', '2', '--dry-run']
  const shown = await made.run(...at, ...rules)
  expect(shown.exitCode).toBe(0)
  expect(shown.stdout).toMatch(new RegExp(`keep +${evening.slice(0, 8)} .*daily snapshot`))
  expect(shown.stdout).toMatch(new RegExp(`remove +${morning.slice(0, 8)} .*daily: ${evening.slice(0, 8)} stands for its day`))
  expect(shown.stdout).toContain('would remove 1 snapshot and keep 2')
  const json = (await made.run(...at, ...rules, '--json')).json<{ groups: { decisions: object[] }[]; removed: string[] }>()
  expect(json).toMatchObject({ dryRun: true, removed: [morning], kept: 2 })
  expect(json.groups[0]?.decisions).toMatchObject([
    { id: evening, keep: true, reasons: [{ rule: 'daily' }] },
    { id: morning, keep: false, passedOver: [{ rule: 'daily', because: 'same-period', by: evening }] },
    { id: before, keep: true },
  ])
  expect(await made.repository.snapshotIds()).toHaveLength(3)
})

test('a snapshot dated in the future costs no other one its place, and ends it with 3', async () => {
  await using made = await place()
  const ahead = await made.save(new Date(Date.now() + 86_400_000).toISOString())
  const good = await made.save('2025-01-02T20:00:00Z')
  const old = await made.save('2025-01-01T20:00:00Z')
  const ran = await made.run(...at, 'forget', '--keep-last', '1')
  expect(ran).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(`${ahead.slice(0, 8)} is dated in the future`) })
  expect(await made.repository.snapshotIds()).toEqual([ahead, good].toSorted())
  expect(ran.stdout).toContain(old.slice(0, 8))
})

test('ids are removed whatever rules would say, a damaged one too; an unknown one removes none', async () => {
  await using made = await place()
  const [first, second] = [await made.save('2025-01-01T20:00:00Z'), await made.save('2025-01-02T20:00:00Z')]
  await made.repository.backend.delete('snapshots', second)
  await made.repository.backend.put('snapshots', second, Buffer.from('damaged'))
  expect(await made.run(...at, 'forget', first, 'ffffffffff')).toMatchObject({ exitCode: 1 })
  expect(await made.run(...at, 'forget', first, '--keep-last', '1')).toMatchObject({ exitCode: 2 })
  const byRule = await made.run(...at, 'forget', '--keep-last', '1')
  expect(byRule).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('kept unseen') })
  expect(await made.run(...at, 'forget', second.slice(0, 10))).toMatchObject({ exitCode: 0 })
  expect(await made.repository.snapshotIds()).toEqual([first])
})

test('a service is kept in each of its repositories by what the catalog says of it, and others stay out of it', async () => {
  await using made = await place()
  const second = await createRepository(await openLocalBackend(join(made.folder, 'second')), password, {
    kdf: { N: 1024, r: 8, p: 1 },
  })
  writeFileSync(
    join(made.folder, 'holdfast.yaml'),
    `version: 1
name: test
sites: { here: {} }
repositories:
  nas: { url: ./repository, site: here, password: { file: password } }
  second: { url: ./second, site: here, password: { file: password } }
services:
  web:
    owner: us
    site: here
    objectives: { rpo: 1d, rto: 1h }
    data: { files: { paths: [/srv] } }
    backup: { to: [nas, second], keep: { last: 1 } }
  bare: { owner: us, site: here, objectives: { rpo: 1d, rto: 1h }, data: { files: { paths: [/srv] } }, backup: { to: nas } }
`,
  )
  await made.save('2025-01-01T20:00:00Z', ['service:web'])
  const newest = await made.save('2025-01-02T20:00:00Z', ['service:web'])
  const other = await made.save('2024-01-02T20:00:00Z')
  for (const { id } of await made.repository.snapshots()) {
    const { time, tree, paths, tags = [] } = await made.repository.readSnapshot(id)
    await second.saveSnapshot({ time, tree, paths, hostname: 'here', tags })
  }
  const one = await made.run('forget', '--service', 'web', '--repository', 'second')
  expect(one).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('web in second') as string })
  expect(await second.snapshotIds()).toHaveLength(2)
  expect(await made.repository.snapshotIds()).toHaveLength(3)
  const all = await made.run('forget', '--service', 'web', '--json')
  expect(all.json()).toMatchObject({
    repositories: [
      { repository: 'nas', kept: 1 },
      { repository: 'second', removed: [] },
    ],
  })
  expect(await made.repository.snapshotIds()).toEqual([newest, other].toSorted())

  // One that is gone does not keep the other from its turn.
  rmSync(join(made.folder, 'repository'), { recursive: true })
  expect(await made.run('forget', '--service', 'web')).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('not done in nas') as string,
  })
  expect(await made.run('forget', '--service', 'bare')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('services.bare.backup.keep') as string,
  })
  expect(await made.run('forget', '--service', 'none')).toMatchObject({ exitCode: 2 })
  expect(await made.run(...at, 'forget', '--service', 'web')).toMatchObject({ exitCode: 2 })
})

test('the ledger says what was removed, why, and what a prune freed; a dry run leaves no record', async () => {
  await using made = await place()
  const old = await made.save('2025-01-01T10:00:00Z')
  const middle = await made.save('2025-01-02T10:00:00Z')
  await made.save('2025-01-03T10:00:00Z')
  const last = await made.save('2025-01-04T10:00:00Z')
  await made.run(...at, 'forget', '--keep-last', '2', '--dry-run')
  await made.run(...at, 'forget', old)
  await made.run(...at, 'forget', '--keep-last', '2', '--prune')
  const shown = await made.run('--json', ...at, 'ledger', 'show')
  const records = shown.json<{ records: { kind: string; body: Record<string, unknown> }[] }>().records.toReversed()
  expect(records.map(({ kind }) => kind)).toEqual(['forget', 'forget', 'prune'])
  expect(records[0]?.body).toMatchObject({ removed: [{ snapshot: old, why: ['named'] }] })
  expect(records[1]?.body).toMatchObject({
    rules: ['last 2'],
    removed: [{ snapshot: middle, time: '2025-01-02T10:00:00.000Z', why: ['last: count-reached'] }],
    kept: 2,
  })
  expect(records[2]?.body).toMatchObject({ snapshots: 2, lostPacks: 0 })
  expect((await made.run(...at, 'ledger', 'show')).stdout).toMatch(/removed 1 snapshot \(by last 2; 2 kept\)/)
  expect(last).not.toBe(middle)
})
