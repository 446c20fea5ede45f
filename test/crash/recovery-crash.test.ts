import { chmod, chown, mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createServer, findRunningServer, openSql, ownFolder, requirePostgres, serverAccount } from '../../src/postgres/index.ts'
import type { PlanOutcome } from '../../src/recovery/index.ts'
import { createCatalogRepository, loadRunCatalog, protectService } from '../../src/service/index.ts'
import { holdfast, type HoldfastResult } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { startReceiving } from '../support/wal.ts'

let pg: TestPostgres
const signal = new AbortController().signal

/** A catalog in a folder of its own, so that its runs are its own, over the one repository. */
interface Site {
  readonly folder: string
  readonly catalog: string
  readonly target: string
  readonly state: string
}

async function siteOf(
  name: string,
  { target, plan }: { target?: string; plan?: (target: string) => object[] } = {},
): Promise<Site> {
  const folder = join(pg.folder, name)
  await mkdir(folder, { recursive: true })
  await chmod(folder, 0o755)
  const into = target ?? join(folder, 'recovered')
  const catalog = join(folder, 'holdfast.yaml')
  const steps = plan?.(into) ?? recoverySteps(into)
  await writeFile(catalog, stringify(catalogOf(steps)))
  return { folder, catalog, target: into, state: join(folder, '.holdfast') }
}

function catalogOf(steps: object[]): object {
  return {
    version: 1,
    name: 'crash-test',
    sites: { here: {} },
    repositories: {
      local: { url: join(pg.folder, 'repository'), site: 'here', media: 'disk', password: { file: join(pg.folder, 'password') } },
    },
    services: {
      db: {
        owner: 'Tests',
        site: 'here',
        objectives: { rpo: '1h', rto: '1h' },
        data: { postgres: { url: pg.url, dataDirectory: pg.dataDir } },
        backup: { to: 'local' },
        recovery: 'back',
      },
    },
    plans: { back: { recovers: ['db'], steps } },
  }
}

/** The checks take a second, so that a kill which follows their beginning comes before their end. */
function recoverySteps(target: string): object[] {
  return [
    { id: 'restore', do: { 'postgres.restore': { service: 'db', target } }, timeout: '2m' },
    {
      id: 'start',
      do: { 'postgres.start': { dataDirectory: '${steps.restore.dataDirectory}' } },
      after: ['restore'],
      timeout: '2m',
    },
    {
      id: 'look',
      do: { 'sql.check': { url: '${steps.start.url}', sql: 'select count(*) from kept, pg_sleep(1)', equals: 300 } },
      after: ['start'],
    },
    {
      id: 'promote',
      do: { 'postgres.promote': { dataDirectory: '${steps.restore.dataDirectory}' } },
      after: ['look'],
      timeout: '2m',
    },
    {
      id: 'verify',
      do: { 'sql.check': { url: '${steps.start.url}', sql: 'select not pg_is_in_recovery() from pg_sleep(1)', equals: true } },
      after: ['promote'],
    },
  ]
}

/** The outcome that `--json` ends with. */
function outcomeIn(result: HoldfastResult): PlanOutcome {
  expect(result.stdout, result.stderr).not.toBe('')
  return result.json<{ result: PlanOutcome }>().result
}

/** Runs a command and kills it with SIGKILL as soon as the moment has come. */
async function killedAt(site: Site, args: readonly string[], moment: () => Promise<boolean>): Promise<void> {
  let kill: () => void = () => {}
  const ended = holdfast(['--catalog', site.catalog, ...args], { onStart: (child) => (kill = () => child.kill('SIGKILL')) })
  const isOver = ended.then(() => true)
  while (!(await Promise.race([isOver, moment()]))) {
    await new Promise((resolve) => {
      setTimeout(resolve, 2)
    })
  }
  kill()
  const { exitCode, stderr } = await ended
  expect(exitCode, `it ended before it was killed: ${stderr}`).toBe(-1)
}

async function journalOf({ state }: Site): Promise<string> {
  const [run] = await readdir(join(state, 'runs')).catch(() => [])
  return run === undefined ? '' : await readFile(join(state, 'runs', run, 'journal.ndjson'), 'utf8').catch(() => '')
}

const started = (step: string) => new RegExp(`"step":"${step}","type":"step-started"`)

function begins(site: Site, step: string): () => Promise<boolean> {
  return async () => started(step).test(await journalOf(site))
}

/** Some files of the data directory are there, and not yet the one that a restore writes when all are. */
function isHalfRestored({ target }: Site): () => Promise<boolean> {
  return async () => {
    const files: string[] = await readdir(target, { recursive: true }).catch(() => [])
    return files.length > 20 && !files.includes('recovery.signal')
  }
}

async function stopServer(dataDir: string): Promise<void> {
  if ((await findRunningServer(dataDir)) === undefined) return
  const server = await createServer({ dataDir, installation: requirePostgres(15) })
  await server.stop('immediate')
}

async function rowsIn(dataDir: string): Promise<string | null | undefined> {
  const server = await createServer({ dataDir, installation: requirePostgres(15) })
  await using connection = await openSql(server.url)
  return (await connection.query('select count(*) as n from kept'))[0]?.n
}

describeWith('postgresql-15', 'a recovery of a real PostgreSQL', () => {
  beforeAll(async () => {
    pg = await startPostgres({ version: 15 })
    await chmod(pg.folder, 0o755)
    await writeFile(join(pg.folder, 'password'), 'correct horse\n')
    const { catalog: path } = await siteOf('backup')
    const catalog = await loadRunCatalog(path)
    await using repository = await createCatalogRepository(catalog, 'local')
    const side = join(pg.folder, 'side')
    await mkdir(side)
    await ownFolder(side, await serverAccount())
    await pg.sql(`create tablespace side location '${side}'`)
    await pg.sql("create table kept tablespace side as select id, repeat('x', 500) as filler from generate_series(1, 100) id")
    await protectService({ catalog, service: 'db' }, () => {}, signal)
    // 200 rows are in the WAL alone.
    await using receiver = startReceiving({ url: pg.url, slot: 'holdfast_test', area: repository.area('holdfast/wal') })
    await receiver.event('wal-connected')
    await pg.sql("insert into kept select id, repeat('y', 500) from generate_series(101, 300) id")
    await pg.server.stop('fast')
    await receiver.stop()
  })
  afterAll(async () => {
    await pg[Symbol.asyncDispose]()
  })

  test('goes on after the orchestrator was killed in each of its steps, and has every row', async () => {
    const site = await siteOf('killed')
    await killedAt(site, ['recover', 'db', '--yes'], isHalfRestored(site))
    for (const step of ['start', 'promote', 'verify']) await killedAt(site, ['run', 'resume', 'latest'], begins(site, step))
    try {
      const resumed = await holdfast(['--catalog', site.catalog, '--json', 'run', 'resume', 'latest'])
      expect(outcomeIn(resumed)).toMatchObject({ status: 'succeeded', checksPassed: 2, pointOfNoReturn: 'promote' })
      expect(resumed.exitCode).toBe(0)
      expect(await rowsIn(site.target)).toBe('300')
      const journal = await journalOf(site)
      for (const step of ['restore', 'start', 'promote', 'verify']) {
        expect(journal.match(new RegExp(`"step":"${step}","type":"step-committed"`, 'g')), step).toHaveLength(1)
        expect(journal.match(new RegExp(started(step), 'g'))?.length, `${step} was interrupted`).toBe(2)
      }
    } finally {
      await stopServer(site.target)
    }
  })

  test('that was interrupted can be aborted: the server is stopped and what was restored is removed', async () => {
    const site = await siteOf('aborted')
    await killedAt(site, ['recover', 'db', '--yes'], begins(site, 'look'))
    expect(await findRunningServer(site.target)).toBeDefined()
    const aborted = await holdfast(['--catalog', site.catalog, '--json', 'run', 'abort', 'latest', '--reason', 'wrong service'])
    expect(outcomeIn(aborted)).toMatchObject({ status: 'rolled-back', left: [] })
    expect(aborted.exitCode).toBe(0)
    expect(await findRunningServer(site.target)).toBeUndefined()
    expect((await readdir(site.folder)).filter((name) => name.includes('recovered') && !name.endsWith('.log'))).toEqual([])
  })

  test('that was interrupted in the middle of its restore leaves nothing of it when it is aborted, and can be run anew', async () => {
    const site = await siteOf('half-aborted')
    await killedAt(site, ['recover', 'db', '--yes'], isHalfRestored(site))
    const aborted = await holdfast(['--catalog', site.catalog, '--json', 'run', 'abort', 'latest'])
    expect(outcomeIn(aborted)).toMatchObject({ status: 'rolled-back', left: [] })
    expect((await readdir(site.folder)).filter((name) => name.includes('recovered'))).toEqual([])
    const again = await holdfast(['--catalog', site.catalog, '--json', 'recover', 'db', '--dry-run'])
    expect(again.exitCode, again.stdout).toBe(0)
  })

  test('that was interrupted while the server recovers stops it when it is aborted', async () => {
    const site = await siteOf('start-aborted')
    const isRunning = async () => (await findRunningServer(site.target)) !== undefined
    await killedAt(site, ['recover', 'db', '--yes'], isRunning)
    const aborted = await holdfast(['--catalog', site.catalog, '--json', 'run', 'abort', 'latest'])
    expect(outcomeIn(aborted)).toMatchObject({ status: 'rolled-back', left: [] })
    expect(await isRunning()).toBe(false)
    expect((await readdir(site.folder)).filter((name) => name.includes('recovered') && !name.endsWith('.log'))).toEqual([])
  })

  test('brings back tablespaces, into folders that are made for it, and a server whose own rules would let nobody in', async () => {
    const target = join(pg.folder, 'made', 'on', 'the', 'way', 'recovered')
    const site = await siteOf('closed', {
      target,
      plan: (into) => {
        const [restore, start, ...others] = recoverySteps(into)
        const rules = join(into, 'pg_hba.conf')
        const close = { id: 'close', do: { shell: { run: `echo 'local all all scram-sha-256' > '${rules}'`, undo: 'true' } } }
        return [restore ?? {}, { ...close, after: ['restore'] }, { ...start, after: ['close'] }, ...others]
      },
    })
    try {
      const recovered = await holdfast(['--catalog', site.catalog, '--json', 'recover', 'db', '--yes'])
      expect(outcomeIn(recovered)).toMatchObject({ status: 'succeeded' })
      expect(await rowsIn(target)).toBe('300')
      expect(await readFile(join(target, 'pg_hba.conf'), 'utf8')).toBe('local all all scram-sha-256\n')
      const [link = ''] = await readdir(join(target, 'pg_tblspc'))
      expect(await readlink(join(target, 'pg_tblspc', link))).toBe(join(`${target}.tablespaces`, link))
    } finally {
      await stopServer(target)
    }
  })

  test.runIf(process.geteuid?.() === 0)(
    'refuses a target that the server’s user could not enter, before anything is restored',
    async () => {
      const closed = join(pg.folder, 'closed-folder')
      await mkdir(closed, { mode: 0o700 })
      await chown(closed, 0, 0)
      const site = await siteOf('unreachable', { target: join(closed, 'recovered') })
      const refused = await holdfast(['--catalog', site.catalog, '--json', 'recover', 'db', '--dry-run'])
      expect(refused.json<{ findings: object[] }>().findings).toMatchObject([{ code: 'permission-denied', step: 'restore' }])
    },
  )

  test('wipes half a restore of its own, and nothing else', async () => {
    const site = await siteOf('half')
    await killedAt(site, ['recover', 'db', '--yes'], isHalfRestored(site))
    // Another folder at the same path: not what the step began to fill.
    await rm(site.target, { recursive: true, force: true })
    await mkdir(site.target)
    await writeFile(join(site.target, 'precious'), 'do not delete')
    const resumed = await holdfast(['--catalog', site.catalog, '--json', 'run', 'resume', 'latest'])
    expect(outcomeIn(resumed)).toMatchObject({
      status: 'rolled-back',
      failure: { step: 'restore', error: { code: 'target-not-empty' } },
    })
    expect(resumed.exitCode).toBe(1)
    expect(await readFile(join(site.target, 'precious'), 'utf8')).toBe('do not delete')
  })

  test('refuses a folder that is not empty, and the data directory of the service itself, before anything begins', async () => {
    const site = await siteOf('occupied')
    await mkdir(site.target)
    await writeFile(join(site.target, 'precious'), 'do not delete')
    const refused = await holdfast(['--catalog', site.catalog, '--json', 'recover', 'db', '--yes'])
    expect(outcomeIn(refused)).toMatchObject({
      status: 'preflight-failed',
      findings: [{ code: 'target-not-empty', step: 'restore' }],
    })
    expect(await readdir(site.target)).toEqual(['precious'])

    const before = await readdir(pg.dataDir)
    const inPlace = await siteOf('in-place', { target: pg.dataDir })
    const dryRun = await holdfast(['--catalog', inPlace.catalog, '--json', 'recover', 'db', '--dry-run'])
    expect(dryRun.exitCode).toBe(1)
    expect(dryRun.json<{ findings: { code: string }[] }>().findings.map(({ code }) => code)).toEqual(['target-is-source'])
    expect(await readdir(pg.dataDir)).toEqual(before)
  })

  test('to a point that the archive does not have is refused with the window', async () => {
    const site = await siteOf('window')
    const before = await holdfast([
      '--catalog',
      site.catalog,
      '--json',
      'recover',
      'db',
      '--dry-run',
      '--to',
      '2001-01-01T00:00:00Z',
    ])
    expect(before.json<{ findings: object[] }>().findings).toMatchObject([
      { code: 'recovery-target', severity: 'blocker', step: 'restore' },
    ])
    const after = await holdfast([
      '--catalog',
      site.catalog,
      '--json',
      'recover',
      'db',
      '--dry-run',
      '--to',
      '2199-01-01T00:00:00Z',
    ])
    expect(after.json<{ findings: object[] }>().findings).toMatchObject([{ code: 'recovery-target', severity: 'blocker' }])
    const zoneless = await holdfast(['--catalog', site.catalog, 'recover', 'db', '--dry-run', '--to', '2026-11-23 14:05:00'])
    expect(zoneless).toMatchObject({ exitCode: 2 })
    expect(zoneless.stderr).toContain('zone')
  })

  test('asserts whose server it is before it promotes', async () => {
    const site = await siteOf('swapped', {
      plan: (target) => {
        // Between start and promote the data directory becomes that of another cluster.
        const swap = `echo "$SOCKET" > /dev/null; sed -i 's/"systemIdentifier":"[0-9]*"/"systemIdentifier":"7"/' '${join(target, '..', '.recovered.holdfast-restore.json')}'`
        const [restore, start, look, promote, verify] = recoverySteps(target)
        return [
          restore ?? {},
          start ?? {},
          { ...look, retry: { attempts: 1 } },
          { id: 'swap', do: { shell: { run: swap, undo: 'true' } }, after: ['look'] },
          { ...promote, after: ['swap'] },
          verify ?? {},
        ]
      },
    })
    try {
      const refused = await holdfast(['--catalog', site.catalog, '--json', 'recover', 'db', '--yes'])
      expect(outcomeIn(refused).failure).toMatchObject({ step: 'promote', error: { code: 'identity-mismatch' } })
      expect(outcomeIn(refused).pointOfNoReturn).toBeUndefined()
    } finally {
      await stopServer(site.target)
    }
  })
})
