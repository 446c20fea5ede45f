import { randomBytes } from 'node:crypto'
import { chmod, glob, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  createCatalogRepository,
  loadRunCatalog,
  openCatalogRepository,
  recordEvidence,
  type ServiceReport,
  type StatusReport,
} from '../../src/service/index.ts'
import { holdfast, temporaryFolder } from '../support/holdfast.ts'

/** A catalog with a folder of files, its recovery plan, and a service without data that needs it; the repository is made. */
async function acme({ timeout = '1m' } = {}) {
  const folder = await temporaryFolder('status')
  const [data, back, file, password] = ['data', 'back', 'holdfast.yaml', 'password'].map((name) => join(folder.path, name)) as [
    string,
    string,
    string,
    string,
  ]
  await mkdir(data)
  await writeFile(join(data, 'orders.csv'), 'one\n'.repeat(1000))
  await writeFile(password, 'a password')
  const declare = (checkTimeout: string) =>
    writeFile(
      file,
      `version: 1
name: acme
sites: { hq: {} }
repositories: { nas: { url: repository, site: hq, media: disk, password: { file: ${password} } } }
groups: { shop: { members: [orders, web], spread: 5m } }
tiers: { 1: {}, 2: { objectives: { rpo: 1h, rto: 1h } } }
services:
  orders:
    { owner: Shop, tier: 1, site: hq, objectives: { rpo: 1h, rto: 1h }, data: { files: { paths: [${data}] } }, backup: { to: nas }, recovery: bring-back }
  web: { owner: Shop, tier: 2, site: hq, dependsOn: [orders] }
plans:
  bring-back:
    recovers: [orders]
    steps:
      - id: restore
        do: { files.restore: { service: orders, target: ${back} } }
        check: { shell: { run: [test, -s, ${back}/orders.csv], effect: read-only }, timeout: ${checkTimeout} }
`,
    )
  await declare(timeout)
  const catalog = await loadRunCatalog(file)
  await (await createCatalogRepository(catalog, 'nas'))[Symbol.asyncDispose]()
  const run = (...args: string[]) => holdfast(['--catalog', file, '--json', ...args])
  const done = async (...args: string[]) => {
    const { exitCode, stderr } = await run(...args)
    expect(exitCode, stderr).toBe(0)
  }
  return {
    data,
    back,
    catalog,
    repository: join(folder.path, 'repository'),
    password,
    declare,
    run,
    done,
    async status() {
      const { exitCode, ...result } = await run('status')
      const report = result.json<StatusReport>()
      const of = (name: string) => report.services.find(({ service }) => service === name) as ServiceReport
      return { exitCode, report, orders: of('orders'), web: of('web') }
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

/** Flips a bit of file content, which no check of the structure reads; what it gives flips it back. */
async function flipDataBit(repository: string): Promise<() => Promise<void>> {
  const packs = await Array.fromAsync(glob('data/*/*', { cwd: repository }), async (name) => {
    const path = join(repository, name)
    return { path, content: await readFile(path) }
  })
  // The first blob of the largest pack: the packs with the trees are small.
  const largest = packs.toSorted((a, b) => b.content.length - a.content.length)[0]
  if (largest === undefined) throw new Error('the repository holds no pack')
  const { path, content } = largest
  await chmod(path, 0o600)
  await writeFile(
    path,
    content.map((byte, index) => (index === 0 ? byte ^ 1 : byte)),
  )
  return () => writeFile(path, content)
}

describe('holdfast status', () => {
  test('goes from unknown over at risk to met as evidence comes in, and back when the plan changes', async () => {
    await using shop = await acme()
    expect(await shop.status()).toMatchObject({
      exitCode: 4,
      report: { groups: [{ group: 'shop', verdict: 'unknown', unknown: ['orders', 'web'], declaredMs: 3_600_000 }] },
      orders: {
        verdict: 'unknown',
        rpo: { because: 'no-snapshot' },
        rto: { because: 'not-recoverable' },
        copies: { verdict: 'missed', copies: [{ repository: 'nas', problem: 'no-snapshot' }] },
      },
      web: {
        verdict: 'unknown',
        declaredBy: { rpo: 'tier', rto: 'tier' },
        rpo: { because: 'no-snapshot', about: { service: 'orders' } },
      },
    })

    await shop.done('backup', '--service', 'orders')
    expect(await shop.status()).toMatchObject({
      exitCode: 4,
      orders: {
        rpo: { basis: 'estimated', verdict: 'at-risk', because: 'never-restored' },
        rto: { basis: 'unknown', verdict: 'unknown', because: 'never-recovered' },
        copies: { copies: [{ repository: 'nas', problem: 'never-read' }] },
      },
    })
    await shop.done('check', '--read-data')

    await shop.done('recover', 'orders', '--yes')
    const recovered = await shop.status()
    expect(recovered.orders).toMatchObject({
      verdict: 'met',
      rpo: { basis: 'measured', verdict: 'met', evidence: [{ repository: 'nas' }, { repository: 'nas' }] },
      rto: { basis: 'measured', verdict: 'met', because: 'within-objective' },
      findings: [],
    })
    expect(recovered.orders.rto.actualMs).toBeGreaterThan(0)
    expect(recovered.report.groups).toMatchObject([{ verdict: 'met', spreadMs: 0, worst: 'orders', goBack: [] }])
    // Its data is proven; that the service itself comes back was never tried.
    expect(recovered.web).toMatchObject({ rpo: { verdict: 'met' }, rto: { verdict: 'unknown', because: 'no-plan' } })
    expect(recovered.orders.copies).toMatchObject({
      verdict: 'missed',
      counts: { copies: 2, media: 1, 'off-site': 0, immutable: 0, errors: 0 },
      // The check has read it, and so has the recovery.
      copies: [
        { repository: 'nas', readAt: expect.any(String) as string, records: [{ repository: 'nas' }, { repository: 'nas' }] },
      ],
    })
    expect(recovered.web.copies).toBeUndefined()
    const { exitCode, stdout } = await holdfast(['--catalog', shop.catalog.file, 'status', 'orders'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain(
      'copies of orders, 3-2-1-1-0 by proof: missed (too few copies, all on one medium, none off site, each can',
    )
    expect(stdout).toMatch(/copies 2 of 3, media 1 of 2, .*; with the original 1 site, 0 accounts; 1 key/)
    // One recovery, far within both objectives.
    expect(stdout).toMatch(/20\d\d-\d\d +1 +0 +\S+ m?s +█·{9}\| +\S+ m?s +█·{9}\|/)
    expect(stdout).toMatch(/nas +hq +disk +no +\S+Z +\S+Z +nas \d+, nas \d+ +yes/)

    await shop.declare('2m')
    expect((await shop.status()).orders).toMatchObject({
      verdict: 'at-risk',
      rpo: { verdict: 'met' },
      rto: { basis: 'stale', verdict: 'at-risk', because: 'plan-changed' },
    })
  })

  test('takes a verified restore as proof of the data, and estimates the time from it', async () => {
    await using shop = await acme()
    await shop.done('backup', '--service', 'orders')
    await shop.done('restore', 'latest', '--target', `${shop.back}-1`)
    expect((await shop.status()).orders).toMatchObject({ rpo: { because: 'never-restored' }, rto: { verdict: 'unknown' } })
    await shop.done('restore', 'latest', '--target', `${shop.back}-2`, '--verify')
    expect((await shop.status()).orders).toMatchObject({
      rpo: { basis: 'measured', verdict: 'met' },
      rto: { basis: 'estimated', verdict: 'at-risk', because: 'estimated-from-restore' },
    })
  })

  test('does not count a failed recovery as anything but a failure', async () => {
    await using shop = await acme({ timeout: '1s' })
    await shop.done('backup', '--service', 'orders')
    const body = {
      runId: 'r',
      plan: 'bring-back',
      planHash: 'a'.repeat(64),
      mode: 'real' as const,
      outcome: 'failed' as const,
      target: { kind: 'latest' as const },
      declared: {},
      phases: {},
      compared: { checks: 1, checksFailed: 1 },
      verdict: 'missed' as const,
    }
    await using repository = await openCatalogRepository(shop.catalog, 'nas')
    await recordEvidence(repository, 'recovery', body, { service: 'orders', catalogPath: shop.catalog.file })
    expect(await shop.status()).toMatchObject({
      exitCode: 4,
      orders: { rto: { verdict: 'missed', because: 'last-recovery-failed' } },
    })
  })

  test('never counts a snapshot dated in the future', async () => {
    await using shop = await acme()
    await using repository = await openCatalogRepository(shop.catalog, 'nas')
    await shop.done('backup', '--service', 'orders')
    const real = await repository.findSnapshot('latest')
    const time = new Date(Date.now() + 86_400_000).toISOString()
    const { tree, paths, tags = [], hostname = '' } = real
    const future = await repository.saveSnapshot({ tree, paths, tags, hostname, time })
    expect((await shop.status()).orders).toMatchObject({
      findings: [{ code: 'future-dated', snapshot: future.id }],
      rpo: { verdict: 'at-risk' },
    })
    await repository.forgetSnapshot(real.id)
    expect((await shop.status()).orders).toMatchObject({ rpo: { verdict: 'unknown', because: 'only-future-dated' } })
  })

  test('says what it could not look into, and does not count it', async () => {
    await using shop = await acme()
    await shop.done('backup', '--service', 'orders')
    await shop.done('check')
    await writeFile(shop.password, 'another password')
    expect(await shop.status()).toMatchObject({
      exitCode: 4,
      report: { repositories: [{ name: 'nas', state: 'unseen' }] },
      orders: { verdict: 'unknown', findings: [{ code: 'unseen', repository: 'nas' }] },
    })
    await writeFile(shop.password, 'a password')
    await rename(shop.repository, `${shop.repository}-away`)
    expect((await shop.status()).orders).toMatchObject({ verdict: 'unknown' })
    const { stdout } = await holdfast(['--catalog', shop.catalog.file, 'status', 'orders'])
    expect(stdout).toContain('months may lack runs: nas: ')
  })

  test('does not trust a repository whose last check found damage', async () => {
    await using shop = await acme()
    await shop.done('backup', '--service', 'orders')
    await rm(join(shop.repository, 'data'), { recursive: true })
    await mkdir(join(shop.repository, 'data'))
    expect((await shop.run('check')).exitCode).toBe(1)
    expect((await shop.status()).orders).toMatchObject({ rpo: { verdict: 'unknown', because: 'repository-damaged' } })
  })

  test('goes on distrusting damaged data when a later check looks at the structure alone, until the data is read again', async () => {
    await using shop = await acme()
    await writeFile(join(shop.data, 'scans'), randomBytes(100_000))
    await shop.done('backup', '--service', 'orders')
    const flipBack = await flipDataBit(shop.repository)
    expect((await shop.run('check', '--read-data')).exitCode).toBe(1)
    await shop.done('check')
    expect((await shop.status()).orders).toMatchObject({ rpo: { verdict: 'unknown', because: 'repository-damaged' } })
    await flipBack()
    await shop.done('check', '--read-data')
    expect((await shop.status()).orders).toMatchObject({ rpo: { because: 'never-restored' } })
  })

  test('reports damage in the ledger, and judges without the damaged records', async () => {
    await using shop = await acme()
    await shop.done('backup', '--service', 'orders')
    await shop.done('restore', 'latest', '--target', shop.back, '--verify')
    const place = join(shop.repository, 'holdfast', 'ledger', '0000000002')
    await rm(place)
    await writeFile(place, 'not a record')
    expect((await shop.status()).orders).toMatchObject({
      rpo: { because: 'never-restored' },
      findings: [{ code: 'unseen', repository: 'nas' }],
    })
  })

  test('prints a table for people, and the next command', async () => {
    await using shop = await acme()
    const { stdout, exitCode } = await holdfast(['--catalog', shop.catalog.file, 'status'])
    expect(exitCode).toBe(4)
    expect(stdout).toMatch(/^service +tier +RPO +would lose +basis +verdict +RTO +would take +basis +verdict\n/)
    expect(stdout).toMatch(/orders +1 +1 h +- +unknown +unknown +1 h +- +unknown +unknown/)
    expect(stdout).toMatch(/web +2 +1 h\* +- .* 1 h\* +- .*\n\* that of its tier\n/)
    expect(stdout).toMatch(/shop +2 +1 h +- +- +unknown +unknown +-\n/)
    expect(stdout).toContain('group shop: RPO is unknown: nobody knows what orders, web can be brought back to')
    expect(stdout).toContain('web: RPO is unknown: there is no backup; run `holdfast backup --service orders`')
  })

  test('refuses a service that the catalog does not have', async () => {
    await using shop = await acme()
    expect((await shop.run('status', 'nothing')).exitCode).toBe(2)
  })
})
