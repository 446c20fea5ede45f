import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { chaosTarget, frozen, type ChaosTarget } from '../support/chaos-target.ts'
import { holdfast } from '../support/holdfast.ts'

interface Ran {
  readonly runs: readonly { readonly runId: string; readonly verdict: string; readonly ledger: readonly object[] }[]
}
interface History {
  readonly runs: readonly { readonly runId: string; readonly state: string; readonly ledger: readonly object[] }[]
  readonly unseen: readonly object[]
  readonly statistics: object
}

/** With a repository `nas` in its folder. */
async function withRepository(target: ChaosTarget) {
  await writeFile(join(target.path, 'password'), 'correct horse')
  const repositories = { nas: { url: './nas', site: 'here', password: { file: './password' } } }
  const run = (...args: string[]) => holdfast([...args, '--json'], { cwd: target.path })
  const experiments = (environment = 'dev') =>
    target.experiments({ freeze: { ...frozen(target), environment, passes: 2 } }, { repositories })
  await experiments()
  expect((await run('init')).exitCode).toBe(0)
  return { run, experiments, history: async () => (await target.chaos(['history', 'freeze'])).json<History>() }
}

test('a run is on record in the ledger with what was seen, and is one run wherever it is read from', async () => {
  await using target = await chaosTarget()
  const { run, experiments, history } = await withRepository(target)
  const first = await target.chaos(['run', 'freeze'])
  expect(first.exitCode).toBe(0)
  expect(first.json<Ran>().runs[0]?.ledger).toEqual([{ repository: 'nas', service: 'api', seq: 1 }])
  const { records } = (await run('ledger', 'show', '--kind', 'experiment')).json<{ records: readonly object[] }>()
  expect(records).toMatchObject([
    {
      kind: 'experiment',
      service: 'api',
      body: {
        experiment: 'freeze',
        environment: 'dev',
        services: ['api'],
        verdict: 'pass',
        because: [],
        recoveryMs: expect.any(Number),
        recoversWithinMs: 10_000,
        samples: { before: { slots: 5, steady: 5 }, during: { slots: expect.any(Number) }, after: { seen: expect.any(Number) } },
        faults: [
          {
            name: 'process.pause',
            state: 'injected',
            undo: 'gone',
            presentAfterMs: expect.any(Number),
            goneAfterMs: expect.any(Number),
          },
        ],
        basis: { runs: 1, passed: 1, upper: 1 },
      },
    },
  ])
  expect(await history()).toMatchObject({
    runs: [{ ledger: [{ repository: 'nas', seq: 1 }] }],
    statistics: { passRate: { runs: 1 } },
    unseen: [],
  })
  expect((await run('ledger', 'verify')).exitCode).toBe(0)

  // Another machine, or this one after it was lost: the ledger alone knows.
  await rm(join(target.path, '.holdfast', 'chaos'), { recursive: true })
  expect(await history()).toMatchObject({ runs: [{ state: 'ended', ledger: [{ repository: 'nas' }] }] })
  expect((await target.chaos(['run', 'freeze'])).exitCode).toBe(0)
  expect(await history()).toMatchObject({ runs: [{}, {}], statistics: { passRate: { runs: 2, passed: 2 } } })
  // Both count for the next environment.
  await experiments('staging')
  const { guardrails } = (await target.chaos(['plan', 'freeze'])).json<{ guardrails: { code: string }[] }>()
  expect(guardrails.map(({ code }) => code)).toEqual(['restore-point-unverified'])
}, 240_000)

test('what could not be put on record is no success, is read as such, and is put there after the next run', async () => {
  await using target = await chaosTarget()
  const { run, experiments, history } = await withRepository(target)
  const [there, away] = [join(target.path, 'nas'), join(target.path, 'away')]
  await rename(there, away)
  const lost = await target.chaos(['run', 'freeze'])
  expect(lost.exitCode).toBe(3)
  expect(lost.json<Ran>().runs[0]).toMatchObject({
    verdict: 'pass',
    ledger: [{ repository: 'nas', failed: expect.any(String) }],
    uncounted: expect.stringMatching(/^nas: /),
  })
  expect(await history()).toMatchObject({ runs: [{ ledger: [] }], unseen: [{ repository: 'nas' }] })
  // Nobody knows what the ledger says of failures elsewhere.
  await experiments('staging')
  const { guardrails } = (await target.chaos(['plan', 'freeze'])).json<{ guardrails: { code: string }[] }>()
  expect(guardrails.map(({ code }) => code)).toContain('history-unseen')
  await experiments()
  await rename(away, there)
  // What the first was kept in is damaged for a while: that is no reason to lose another.
  const kept = join(target.path, '.holdfast', 'chaos', 'runs', `${lost.json<Ran>().runs[0]?.runId}.json`)
  const text = await readFile(kept)
  await writeFile(kept, text.subarray(0, 100))
  expect((await target.chaos(['run', 'freeze'])).exitCode).toBe(0)
  await writeFile(kept, text)
  expect((await target.chaos(['run', 'freeze'])).exitCode).toBe(0)
  const { records } = (await run('ledger', 'show', '--kind', 'experiment')).json<{ records: { body: { runId: string } }[] }>()
  const { runs } = await history()
  expect(records.map(({ body }) => body.runId).toSorted()).toEqual(runs.map(({ runId }) => runId).toSorted())
  expect(runs).toHaveLength(3)
}, 240_000)

test('without a repository a run stays in the history of this machine, and says so', async () => {
  await using target = await chaosTarget()
  await target.experiments({ freeze: frozen(target) })
  const { exitCode, stdout } = await holdfast(['chaos', 'run', 'freeze'], { cwd: target.path })
  expect(exitCode).toBe(0)
  expect(stdout).toContain('in the history of this machine only')
})

test('a run of an experiment of Chaos Toolkit is on record with its services, and counts for none of the catalog', async () => {
  await using target = await chaosTarget()
  const { run } = await withRepository(target)
  const sh = (script: string) => ({ type: 'process', path: 'sh', arguments: ['-c', script] })
  const file = join(target.path, 'file.json')
  // Some are words that the journal, or the record of it, is made of.
  const odd = Object.fromEntries(['journal', 'run', 'type', 'action', 'verdict', 'pass'].map((word) => [word, word]))
  const secret = { secrets: { scope: { user: 'pa55', token: 'pa55 word', ...odd } } }
  const write = (provider: object) =>
    writeFile(
      file,
      JSON.stringify({
        title: 'freeze',
        description: 'd',
        ...secret,
        'steady-state-hypothesis': { title: 'well', probes: [{ type: 'probe', name: 'up', provider: sh('true'), tolerance: 0 }] },
        method: [{ type: 'action', name: 'break', provider }],
      }),
    )
  await write(sh('true'))
  const unknown = await target.chaos(['run', file, '--service', 'apy'])
  expect(unknown.stderr).toContain("there is no service 'apy'")
  const first = await target.chaos(['run', file, '--service', 'api'])
  expect(first.exitCode).toBe(0)
  expect(first.json()).toMatchObject({
    verdict: 'pass',
    runId: expect.stringMatching(/^chaos-freeze-/) as string,
    ledger: [{ repository: 'nas', service: 'api', seq: 1 }],
  })
  await write({ type: 'http', url: 'http://127.0.0.1:1/${token}' })
  expect((await target.chaos(['run', file, '--service', 'api'])).exitCode).toBe(21)
  const shown = await run('ledger', 'show', '--kind', 'experiment')
  expect(shown.stdout).not.toContain('pa55')
  const kept = join(target.path, '.holdfast', 'chaos', 'runs')
  for (const name of await readdir(kept)) expect(await readFile(join(kept, name), 'utf8')).not.toContain('pa55')
  // A journal for which there is no place: the run is on record for all that.
  await mkdir(join(target.path, 'folder'))
  expect((await target.chaos(['run', file, '--service', 'api', '--journal', 'folder'])).exitCode).not.toBe(0)
  expect((await target.chaos(['history', 'chaostoolkit: freeze'])).json<History>().runs).toMatchObject([
    { state: 'ended' },
    { state: 'ended' },
    { state: 'ended' },
  ])
  const { records } = shown.json<{ records: readonly { readonly body: object }[] }>()
  const common = { experiment: 'chaostoolkit: freeze', environment: 'unstated', services: ['api'] }
  const fault = { name: 'break', targets: ['unknown'], state: 'unconfirmed', undo: 'unknown' }
  const once = { slots: 1, seen: 1, steady: 1 }
  expect(records.map(({ body }) => body)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ ...common, verdict: 'pass', samples: { before: once, after: once }, faults: [fault] }),
      expect.objectContaining({
        ...common,
        verdict: 'inconclusive',
        because: [expect.stringContaining('http://127.0.0.1:1/***')] as string[],
      }),
    ]),
  )
  expect((await run('ledger', 'verify')).exitCode).toBe(0)

  // One of the catalog has its title.
  expect((await target.chaos(['history', 'freeze'])).json()).toMatchObject({ runs: [], statistics: { passRate: { runs: 0 } } })
  const { runs } = (await target.chaos(['history', common.experiment])).json<History>()
  expect(runs).toMatchObject([
    { verdict: 'pass', environment: 'unstated', ledger: [{ repository: 'nas' }] },
    { verdict: 'inconclusive' },
    { verdict: 'inconclusive' },
  ])
  expect((await target.chaos(['list'])).json()).toMatchObject({
    experiments: [
      { experiment: 'freeze', runs: 0 },
      { experiment: 'chaostoolkit: freeze', environment: 'unstated', runs: 3, last: { verdict: 'inconclusive' } },
    ],
  })
}, 240_000)
