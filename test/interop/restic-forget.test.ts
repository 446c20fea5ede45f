import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backup, forget, parseSpan, type Decision, type KeepRules } from '../../src/backup/index.ts'
import { formatTime, type Repository } from '../../src/repository/index.ts'
import { createFilesSource } from '../../src/sources/index.ts'
import { holdfast } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'
import { resticVersion, sharedRepository, type SharedRepository } from '../support/restic.ts'

const { signal } = new AbortController()
const periods = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const

/** Before 0.16 restic does not know the word. */
const unlimited = 'unlimited'

/** A rule in both languages. */
interface Rule {
  readonly flags: readonly string[]
  readonly rules: KeepRules
}

const countRule = fc
  .tuple(fc.constantFrom('last', ...periods), fc.constantFrom(1, 2, 3, 5, 10, Infinity))
  .map(([rule, count]): Rule => ({
    flags: [`--keep-${rule}`, count === Infinity ? unlimited : String(count)],
    rules: { counts: { [rule]: count } },
  }))
const spanText = fc.constantFrom('7h', '1d', '9d', '1m', '2m3d', '1y', '1y1m1d1h')
const withinRule = spanText.map((text): Rule => ({ flags: ['--keep-within', text], rules: { within: parseSpan(text) } }))
const withinPeriodRule = fc.tuple(fc.constantFrom(...periods), spanText).map(([period, text]): Rule => ({
  flags: [`--keep-within-${period}`, text],
  rules: { withinPeriod: { [period]: parseSpan(text) } },
}))
const tagRule = fc.constantFrom(['a'], ['a', 'b'], ['']).map((tags): Rule => ({
  flags: ['--keep-tag', tags.join(',')],
  rules: { tags: [tags] },
}))
const keepLast: Rule = { flags: ['--keep-last', '1'], rules: { counts: { last: 1 } } }
const policy = fc
  .array(fc.oneof(countRule, withinRule, withinPeriodRule, tagRule), { minLength: 1, maxLength: 4 })
  // Tags alone may keep nothing, which both refuse (restic since 0.17).
  .map((parts): readonly Rule[] => [keepLast, ...parts])
  .map((parts): Rule => ({
    // Of an option given twice the last one counts, as for restic.
    flags: parts.flatMap(({ flags }) => flags),
    rules: {
      counts: Object.assign({}, ...parts.map(({ rules }) => rules.counts)) as KeepRules['counts'] & {},
      withinPeriod: Object.assign({}, ...parts.map(({ rules }) => rules.withinPeriod)) as KeepRules['withinPeriod'] & {},
      ...Object.assign({}, ...parts.map(({ rules: { within } }) => (within ? { within } : {}))),
      tags: parts.flatMap(({ rules: { tags = [] } }) => tags),
    },
  }))
const groupBy = fc.subarray(['host', 'paths', 'tags'] as const)

interface ResticGroup {
  readonly keep: readonly { readonly id: string }[] | null
  readonly remove: readonly { readonly id: string }[] | null
}

async function resticKeeps(shared: SharedRepository, flags: readonly string[]): Promise<string[]> {
  const { stdout } = await shared.restic(['forget', '--dry-run', '--json', ...flags])
  const groups = JSON.parse(stdout.split('\n').find((line) => line.startsWith('[')) ?? '[]') as ResticGroup[]
  return groups.flatMap(({ keep }) => (keep ?? []).map(({ id }) => id)).sort()
}

/** Snapshots of one tree at random times of two years, of two hosts, with some tags and in several zones. */
async function writeHistory(repository: Repository, tree: string, times: readonly number[]): Promise<void> {
  for (const [number, ms] of times.entries()) {
    const local = formatTime(BigInt(ms) * 1_000_000n)
    const elsewhere = `${new Date(ms + 9 * 3_600_000).toISOString().slice(0, 19)}+09:00`
    await repository.saveSnapshot({
      time: number % 7 === 0 ? elsewhere : local,
      tree,
      paths: number % 5 === 0 ? ['/b', '/a'] : ['/a'],
      hostname: number % 3 === 0 ? 'one' : 'two',
      tags: [...(number % 2 === 0 ? ['a'] : []), ...(number % 4 === 0 ? ['b'] : [])],
    })
  }
}

async function anyTree(repository: Repository, shared: SharedRepository): Promise<string> {
  writeFileSync(join(shared.folder, 'file'), 'content')
  const source = createFilesSource({ paths: [join(shared.folder, 'file')] })
  const { snapshot = '' } = await backup({ repository, source }, () => {}, signal)
  const { tree } = await repository.readSnapshot(snapshot)
  await repository.forgetSnapshot(snapshot)
  return tree
}

describeWith('restic', 'forget', (restic) => {
  test('decides over random histories by random rules as restic does', { timeout: 300_000 }, async () => {
    const version = await resticVersion(restic)
    // Before 0.16 restic did not keep the oldest snapshot for rules with count left.
    const isCounted = ({ keep, reasons }: Decision) => keep && (version >= 16 || !reasons.every((reason) => 'oldest' in reason))
    const start = Date.parse('2023-02-11T03:00:00Z')
    const times = fc.array(fc.integer({ min: start, max: start + 700 * 86_400_000 }), { minLength: 20, maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(times, fc.array(fc.tuple(policy, groupBy), { minLength: 4, maxLength: 4 }), async (history, cases) => {
        using shared = sharedRepository(restic)
        await using repository = await shared.create()
        // Two in one second would be in no order.
        await writeHistory(repository, await anyTree(repository, shared), [...new Set(history.map((ms) => ms - (ms % 1000)))])
        for (const [{ flags, rules }, by] of cases) {
          const report = await forget({ repository, rules, groupBy: by, dryRun: true }, signal)
          const ours = report.groups
            .flatMap(({ decisions }) => decisions.filter(isCounted).map(({ snapshot }) => snapshot.id))
            .sort()
          const theirFlags = flags.map((flag) => (flag === unlimited && version < 16 ? '1000' : flag))
          expect(ours, flags.join(' ')).toEqual(await resticKeeps(shared, [...theirFlags, '--group-by', by.join(',')]))
        }
      }),
      // Each run starts restic several times: what fails is shown as it is, not made smaller for minutes.
      { numRuns: Number(process.env.FORGET_HISTORIES ?? 4), endOnFailure: true },
    )
  })

  test('removes of restic’s own backups what restic would, and restic finds no fault in what is left', async () => {
    using shared = sharedRepository(restic)
    mkdirSync(join(shared.folder, 'source'))
    await shared.restic(['init'])
    for (const day of ['2024-12-29', '2024-12-30', '2025-01-05', '2025-01-06'])
      for (const hour of ['08', '20']) {
        writeFileSync(join(shared.folder, 'source', day + hour), day)
        await shared.restic(['backup', '--host', 'one', '--time', `${day} ${hour}:00:00`, join(shared.folder, 'source')])
      }
    const flags = ['--keep-daily', '2', '--keep-weekly', '3']
    const expected = await resticKeeps(shared, flags)
    const ran = await holdfast(['--repo', shared.path, '--password-file', shared.passwordFile, 'forget', ...flags])
    expect(ran).toMatchObject({ exitCode: 0 })
    const { stdout } = await shared.restic(['snapshots', '--json'])
    const left = (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id)
    expect(left).toEqual(expect.arrayContaining(expected))
    expect(left).toHaveLength(3)
    await shared.check()
  })

  test('while another holds the repository, forget waits only as it is told to, and deciding alone does not wait', async () => {
    using shared = sharedRepository(restic)
    await using repository = await shared.create()
    await writeHistory(repository, await anyTree(repository, shared), [Date.parse('2025-01-01'), Date.parse('2025-01-02')])
    const lock = await repository.lock('shared')
    const rules = { counts: { last: 1 } }
    await expect(forget({ repository, rules, groupBy: [] }, signal)).rejects.toMatchObject({ code: 'locked' })
    // Deciding only reads.
    await expect(forget({ repository, rules, groupBy: [], dryRun: true }, signal)).resolves.toMatchObject({ kept: 1 })
    const waiting = forget({ repository, rules, groupBy: [], retryLockMs: 30_000 }, signal)
    await lock[Symbol.asyncDispose]()
    expect((await waiting).removed).toHaveLength(1)
    expect(await repository.snapshotIds()).toHaveLength(1)
  })
})
