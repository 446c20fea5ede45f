import { readFile, rename, rm, writeFile } from 'node:fs/promises'
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
