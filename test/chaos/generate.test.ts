import { randomBytes } from 'node:crypto'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { chaosTarget } from '../support/chaos-target.ts'
import { holdfast, temporaryFolder } from '../support/holdfast.ts'

interface Generated {
  readonly proposals: readonly {
    readonly name: string
    readonly proof: string
    readonly gaps: readonly { readonly place: string; readonly what: string }[]
    readonly experiment: object
  }[]
  readonly leftOut: readonly { readonly what: string; readonly because: string }[]
}

const common = { owner: 'Ann', site: 'here', objectives: { rpo: '1m', rto: '5m' } }
const catalog = {
  version: 1,
  name: 'test',
  sites: { here: {}, there: {} },
  external: { payments: {} },
  services: {
    orders: {
      ...common,
      tier: 1,
      downtimeCostPerHour: 1000,
      data: {
        postgres: {
          url: 'postgresql://holdfast@10.1.2.3/orders',
          dataDirectory: '/srv/orders',
          standbys: { west: { url: { env: 'WEST_URL' }, site: 'there' } },
        },
      },
      recovery: 'failover',
    },
    api: {
      ...common,
      downtimeCostPerHour: 500,
      dependsOn: ['orders', 'payments', 'search'],
      health: { http: 'https://api.example.com/health' },
    },
    search: { ...common, objectives: { rpo: '1h', rto: '4h' } },
  },
  plans: {
    failover: {
      recovers: ['orders'],
      steps: [
        { id: 'promote', do: { shell: { run: 'true' } } },
        { id: 'check', do: { 'sql.check': { url: { env: 'WEST_URL' }, sql: 'select 1', equals: 1 } }, after: ['promote'] },
      ],
    },
  },
}

test('each edge fails, is slow and is cut off, each plan must bring back what is lost; the costliest first, and nothing is invented', async () => {
  await using folder = await temporaryFolder('generate')
  const file = join(folder.path, 'holdfast.yaml')
  await writeFile(file, stringify(catalog))
  const run = (...args: string[]) => holdfast(args, { cwd: folder.path })
  const { proposals, leftOut } = (await run('chaos', 'generate', '--json')).json<Generated>()
  expect(proposals.map(({ name }) => name)).toEqual([
    // 1500 an hour are lost when orders is down: api goes down with it.
    'lose-orders',
    'runner-killed-at-check-of-failover',
    'runner-killed-at-promote-of-failover',
    'api-cut-off-from-orders',
    'api-cut-off-from-payments',
    'api-cut-off-from-search',
    'api-slow-orders',
    'api-slow-payments',
    'api-slow-search',
    'api-without-orders',
    'api-without-search',
  ])
  expect(proposals.every(({ proof }) => proof === 'never')).toBe(true)
  expect(leftOut).toEqual([])

  // What has no gap is a valid catalog as it is.
  const text = (await run('chaos', 'generate')).stdout
  const all = (parse(text) as { experiments: Record<string, object> }).experiments
  const whole = proposals.filter(({ gaps }) => gaps.length === 0).map(({ name }) => name)
  expect(whole).toEqual([
    'lose-orders',
    'runner-killed-at-check-of-failover',
    'runner-killed-at-promote-of-failover',
    'api-cut-off-from-orders',
    'api-without-orders',
  ])
  expect(all['lose-orders']).toMatchObject({
    faults: [{ inject: { 'process.kill': { target: { pidFile: '/srv/orders/postmaster.pid', descendants: true } } } }],
    drill: 'failover',
    canary: { readUrl: { env: expect.any(String) }, losesAtMost: '1m' },
    recoversWithin: '5m',
  })
  expect(all['api-cut-off-from-orders']).toMatchObject({ faults: [{ inject: { 'network.partition': { peers: ['10.1.2.3'] } } }] })
  const validate = async (experiments: string) => {
    await writeFile(file, `${stringify(catalog)}\n${experiments}`)
    return (await run('validate', '--json')).json<{ valid: boolean; problems: { message: string }[] }>()
  }
  const kept = Object.fromEntries(whole.map((name) => [name, all[name]]))
  expect(await validate(stringify({ experiments: kept }))).toMatchObject({ valid: true })

  // What has gaps says so in its place, and validate names each of them.
  expect(text).toMatch(/device: # REPLACE: the network device that leads from api to payments\n/)
  const checked = await validate(text)
  expect(checked.valid).toBe(false)
  const gaps = proposals.flatMap(({ gaps }) => gaps.map(({ place }) => `${place} has no value`))
  expect(checked.problems.map(({ message }) => message).toSorted()).toEqual(gaps.toSorted())
  expect(gaps.length).toBeGreaterThan(5)
})

test('what has passed comes last, what has failed first, and what the catalog has is not proposed again', async () => {
  await using target = await chaosTarget()
  const http = { http: target.url }
  const base = { owner: 'Ann', site: 'here', objectives: { rpo: '5m', rto: '5m' } }
  const services = {
    api: { ...base, health: http, dependsOn: ['db'] },
    db: { ...base, health: http, data: { postgres: { url: { env: 'U' }, dataDirectory: target.path } } },
  }
  const hypothesis = { title: 't', every: '100ms', before: '300ms', after: '300ms', probes: [{ name: 'answers', ...http }] }
  const kill = { inject: { 'process.kill': { target: { pidFile: target.pidFile } } }, for: '100ms' }
  const mine = { services: ['api', 'db'], hypothesis, faults: [kill] }
  const order = async () => {
    const { proposals } = (await target.chaos(['generate'])).json<Generated>()
    return proposals.map(({ name, proof }) => `${name} ${proof}`)
  }
  const others = ['api-cut-off-from-db never', 'api-slow-db never']
  await target.experiments({ mine: { ...mine, recoversWithin: '15s' } }, { services })
  expect(await order()).toEqual([...others, 'api-without-db never'])
  expect((await target.chaos(['run', 'mine'])).exitCode).toBe(0)
  expect(await order()).toEqual([...others, 'api-without-db passed'])
  // The same, but nothing may be gone at all: another experiment, which fails.
  await target.experiments({ mine }, { services })
  expect(await order()).toEqual([...others, 'api-without-db never'])
  expect((await target.chaos(['run', 'mine'])).exitCode).toBe(20)
  expect(await order()).toEqual(['api-without-db failed', ...others])
  await target.experiments({ 'api-without-db': mine }, { services })
  expect(await order()).toEqual(others)
  expect(await readFile(join(target.path, 'holdfast.yaml'), 'utf8')).toContain('api-without-db')
}, 180_000)

test('damage in a copy of a repository is found, and a lost password leaves the other copy: as generated, run for real', async () => {
  await using folder = await temporaryFolder('generate-copies')
  const at = (name: string) => join(folder.path, name)
  const file = at('holdfast.yaml')
  for (const name of ['nas', 'off']) await writeFile(at(`${name}.password`), `${name}-secret`)
  await mkdir(at('data'))
  await writeFile(at('data/orders'), randomBytes(300_000))
  const repository = (name: string, site: string) => ({ url: `./${name}`, site, password: { file: `./${name}.password` } })
  const copies = {
    version: 1,
    name: 'test',
    sites: { here: {}, there: {} },
    repositories: {
      nas: repository('nas', 'here'),
      off: repository('off', 'there'),
      far: { ...repository('far', 'there'), password: { env: 'FAR' } },
    },
    services: {
      files: {
        ...common,
        data: { files: { paths: [at('data')] } },
        backup: { to: ['nas', 'off'] },
        recovery: 'back',
      },
    },
    plans: {
      back: {
        recovers: ['files'],
        steps: [
          { id: 'restore', do: { 'files.restore': { service: 'files', target: at('back') } } },
          { id: 'look', do: { 'http.check': { url: 'http://127.0.0.1:1/' } }, after: ['restore'] },
        ],
      },
    },
  }
  await writeFile(file, stringify(copies))
  await mkdir(at('bin'))
  await symlink(new URL('../../bin/holdfast.js', import.meta.url).pathname, at('bin/holdfast'))
  const env = { PATH: `${at('bin')}:${dirname(process.execPath)}:${process.env.PATH}`, FAR: 'x' }
  const run = (...args: string[]) => holdfast(args, { cwd: folder.path, env })
  expect(await run('init')).toMatchObject({ exitCode: 0 })
  expect(await run('backup', '--service', 'files')).toMatchObject({ exitCode: 0 })
  const { proposals, leftOut } = (await run('chaos', 'generate', '--json')).json<Generated>()
  const ofCopies = proposals.filter(({ experiment }) => /data.damage|credentials.missing/.test(JSON.stringify(experiment)))
  const kinds = ['cut-off-pack', 'flipped-bit', 'missing-pack']
  expect(ofCopies.map(({ name }) => name).toSorted()).toEqual([
    'files-without-password-of-nas',
    'files-without-password-of-off',
    ...kinds.map((kind) => `nas-${kind}`),
    ...kinds.map((kind) => `off-${kind}`),
  ])
  // Nothing is backed up to `far`.
  expect(leftOut).toEqual([])

  const quick = JSON.stringify(Object.fromEntries(ofCopies.map(({ name, experiment }) => [name, experiment])))
    .replaceAll(/"every":"\w+"/g, '"every":"4s"')
    .replaceAll(/"for":("\w+"|null)/g, '"for":"6s"')
  expect(ofCopies.filter(({ gaps }) => gaps.some(({ place }) => place.endsWith('.for')))).toHaveLength(6)
  await writeFile(file, stringify({ ...copies, experiments: JSON.parse(quick) as object }))
  for (const name of ['nas-flipped-bit', 'nas-missing-pack', 'files-without-password-of-nas']) {
    const ran = await run('chaos', 'run', name)
    expect(ran.exitCode, `${name}\n${ran.stdout}${ran.stderr}`).toBe(0)
  }
  // What has one copy only does not come back without its password: the experiment says so.
  const alone = { ...copies, services: { files: { ...copies.services.files, backup: { to: 'nas' } } } }
  await writeFile(file, stringify(alone))
  const lonely = (await run('chaos', 'generate', '--json')).json<Generated>().proposals
  const only = lonely.find(({ name }) => name === 'files-without-password-of-nas')
  const experiment = JSON.parse(
    JSON.stringify(only?.experiment).replace('"for":"1m"', '"for":"6s"').replace('"30s"', '"4s"'),
  ) as object
  await writeFile(file, stringify({ ...alone, experiments: { 'files-without-password-of-nas': experiment } }))
  expect((await run('chaos', 'run', 'files-without-password-of-nas')).exitCode).toBe(20)
}, 240_000)
