import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { expect, test } from 'vitest'
import type { PlanOutcome } from '../../src/recovery/index.ts'
import { holdfast, repositoryIn, temporaryFolder, type HoldfastResult } from '../support/holdfast.ts'

interface Shown {
  readonly id: string
  readonly state: string
  readonly outcome?: string
  readonly waitingFor: readonly string[]
  readonly result?: PlanOutcome
}

/** A catalog with one service and this plan. A run that is to succeed needs its repository too: what is on no record is no success. */
async function catalogIn(folder: string, steps: object[]): Promise<string> {
  const catalog = join(folder, 'holdfast.yaml')
  await writeFile(
    catalog,
    stringify({
      version: 1,
      name: 'runs',
      sites: { here: {} },
      repositories: { local: { url: './repository', site: 'here', media: 'disk', password: { file: './password' } } },
      services: {
        web: {
          owner: 'Tests',
          site: 'here',
          objectives: { rpo: '1h', rto: '1h' },
          health: { http: 'http://127.0.0.1:1/' },
          recovery: 'back',
        },
      },
      plans: { back: { recovers: ['web'], steps } },
    }),
  )
  return catalog
}

const shellStep = (id: string, run: string, more: object = {}) => ({ id, do: { shell: { run, undo: `${run}.undone` } }, ...more })
const check = (after: string) => ({ id: 'verify', do: { shell: { run: 'true', effect: 'read-only' } }, after: [after] })

/** The run of `running` once it waits for that; throws what the command said when it ended before. */
async function whenWaiting(catalog: string, name: string, running: Promise<HoldfastResult>): Promise<Shown> {
  let ended: HoldfastResult | undefined
  void running.then((result) => (ended = result))
  for (;;) {
    const { exitCode, stdout } = await holdfast(['--catalog', catalog, '--json', 'run', 'list'])
    const { runs } = exitCode === 0 ? (JSON.parse(stdout) as { runs: Shown[] }) : { runs: [] }
    const run = runs.find(({ waitingFor }) => waitingFor.includes(name))
    if (run !== undefined) return run
    if (ended !== undefined) throw new Error(`it ended before it waited: ${ended.stderr}${ended.stdout}`)
  }
}

test('a run waits for an approval, refuses the one who started it, and goes on with another', async () => {
  await using folder = await temporaryFolder('runs')
  const catalog = await catalogIn(folder.path, [
    shellStep('first', `touch ${folder.path}/first`),
    { id: 'ask', do: { approve: { message: 'may it go on?' } }, after: ['first'] },
    shellStep('second', `touch ${folder.path}/second`, { after: ['ask'] }),
    check('second'),
  ])
  await repositoryIn(folder.path)
  const run = holdfast(['--catalog', catalog, '--json', 'recover', 'web', '--yes'])
  const { id } = await whenWaiting(catalog, 'approve:ask', run)

  const self = await holdfast(['--catalog', catalog, 'run', 'approve', id])
  expect(self.exitCode).toBe(1)
  expect(self.stderr).toContain('cannot approve it')
  const approved = await holdfast([
    '--catalog',
    catalog,
    '--json',
    'run',
    'approve',
    id,
    '--by',
    'bob',
    '--comment',
    'looks right',
  ])
  expect(approved.json()).toMatchObject({ run: id, step: 'ask', decision: 'approved', by: 'bob' })

  const finished = await run
  expect(finished.exitCode).toBe(0)
  expect(outcomeIn(finished)).toMatchObject({ status: 'succeeded', steps: [{}, { id: 'ask', output: { by: 'bob' } }, {}, {}] })
})

test('a decision about a step of unknown outcome reaches the run; its progress can be watched and shown', async () => {
  await using folder = await temporaryFolder('runs')
  const catalog = await catalogIn(folder.path, [
    { id: 'slow', do: { shell: { run: ['sleep', '60'] } }, timeout: '300ms' },
    check('slow'),
  ])
  await repositoryIn(folder.path)
  const run = holdfast(['--catalog', catalog, 'recover', 'web', '--yes'])
  const { id } = await whenWaiting(catalog, 'decide:slow:1', run)
  const watching = holdfast(['--catalog', catalog, '--json', 'run', 'watch', id])

  const wrong = await holdfast(['--catalog', catalog, 'run', 'decide', id, 'verify', 'done', '--why', 'it is'])
  expect(wrong.exitCode).toBe(2)
  expect(wrong.stderr).toContain('decide:slow:1')
  await holdfast(['--catalog', catalog, 'run', 'decide', id, 'slow', 'done', '--why', 'it is'])

  expect((await run).exitCode).toBe(0)
  const watched = await watching
  expect(watched.exitCode).toBe(0)
  const types = watched.stderr
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { type: string }).type)
  expect(types.at(0)).toBe('submitted')
  expect(types.at(-1)).toBe('ended')
  const shown = (await holdfast(['--catalog', catalog, '--json', 'run', 'show', 'latest'])).json<Shown>()
  expect(shown).toMatchObject({ id, state: 'completed', outcome: 'succeeded' })
  expect(shown.result?.steps[0]).toMatchObject({ id: 'slow', state: 'done', by: 'decision' })
  expect((await holdfast(['--catalog', catalog, 'run', 'show'])).stdout).toContain('done (by decision)')
})

test('Ctrl-C lets a run go: nothing is undone, it can be resumed, and not with another plan', async () => {
  await using folder = await temporaryFolder('runs')
  const steps = [
    shellStep('first', `touch ${folder.path}/first`),
    { id: 'slow', do: { shell: { run: ['sleep', '2'], idempotent: true } }, after: ['first'] },
    check('slow'),
  ]
  const catalog = await catalogIn(folder.path, steps)
  const interrupted = await holdfast(['--catalog', catalog, 'recover', 'web', '--yes'], {
    onStart: ({ kill }) => void untilJournalHas(catalog, '"step":"slow"').then(() => kill('SIGINT')),
  })
  expect(interrupted.exitCode).toBe(130)
  expect(interrupted.stderr).toContain('run resume')

  const text = await readFile(catalog, 'utf8')
  await writeFile(catalog, text.replace('"2"', '"1"'))
  const changed = await holdfast(['--catalog', catalog, 'run', 'resume', 'latest'])
  expect(changed.exitCode).toBe(1)
  expect(changed.stderr).toContain('plan has changed')

  await writeFile(catalog, `# a comment changes nothing\n${text}`)
  const resumed = await holdfast(['--catalog', catalog, '--json', 'run', 'resume', 'latest'])
  expect(outcomeIn(resumed)).toMatchObject({ status: 'succeeded' })
})

test('a damaged record of one run leaves the others to be listed and shown, and nothing is done to another in its place', async () => {
  await using folder = await temporaryFolder('runs')
  const catalog = await catalogIn(folder.path, [shellStep('one', 'true'), check('one')])
  const run = (...args: string[]) => holdfast(['--catalog', catalog, '--json', ...args])
  await run('recover', 'web', '--yes')
  await run('recover', 'web', '--yes')
  const listed = (await run('run', 'list')).json<{ runs: { id: string }[] }>()
  const [older = '', newer = ''] = listed.runs.map(({ id }) => id)
  await writeFile(join(folder.path, '.holdfast', 'runs', newer, 'journal.ndjson'), 'no record\n')

  const list = await run('run', 'list')
  expect(list.exitCode).toBe(1)
  expect(list.json()).toMatchObject({ runs: [{ id: older }], unreadable: [{ id: newer, error: { code: 'journal-damaged' } }] })
  expect((await run('run', 'show', older)).json()).toMatchObject({ id: older, outcome: 'succeeded' })
  for (const verb of ['show', 'resume', 'abort']) {
    const refused = await run('run', verb, 'latest')
    expect(JSON.parse(refused.stderr), verb).toMatchObject({ code: 'journal-damaged', details: { runId: newer } })
  }
})

test('past runs that nothing can be read of hold up no recovery', async () => {
  await using folder = await temporaryFolder('runs')
  const catalog = await catalogIn(folder.path, [shellStep('one', 'true'), check('one')])
  await repositoryIn(folder.path)
  // A folder where the journal should be: what the file system refuses, not damage that Holdfast knows.
  await mkdir(join(folder.path, '.holdfast', 'runs', 'back-old', 'journal.ndjson'), { recursive: true })
  const recovered = await holdfast(['--catalog', catalog, '--json', 'recover', 'web', '--yes'])
  expect(outcomeIn(recovered)).toMatchObject({ status: 'succeeded' })
})

test('a run that fails ends with 1, and says what was undone and what was left', async () => {
  await using folder = await temporaryFolder('runs')
  const catalog = await catalogIn(folder.path, [
    shellStep('first', `touch ${folder.path}/first`),
    { id: 'stubborn', do: { shell: { run: 'true', undo: 'echo it will not go >&2; exit 1' } }, after: ['first'] },
    { id: 'fails', do: { shell: { run: 'echo no such host >&2; exit 4' } }, after: ['stubborn'] },
    check('fails'),
  ])
  const failed = await holdfast(['--catalog', catalog, 'recover', 'web', '--yes'])
  expect(failed.exitCode).toBe(1)
  expect(failed.stdout).toContain('not everything was undone')
  expect(failed.stdout).toContain('no such host')
  expect(failed.stdout).toMatch(/stubborn \(undo-failed\): .*it will not go/)
  expect(failed.stdout).toContain('first (dependent-not-undone)')
})

test('a dry run shows the plan with its plain commands, does nothing, and fails for a blocker', async () => {
  await using folder = await temporaryFolder('runs')
  const catalog = await catalogIn(folder.path, [shellStep('first', `touch ${folder.path}/first`), check('first')])
  const good = await holdfast(['--catalog', catalog, 'recover', 'web', '--dry-run'])
  expect(good.exitCode).toBe(0)
  expect(good.stdout).toContain(`touch ${folder.path}/first`)
  await expect(readFile(join(folder.path, 'first'))).rejects.toMatchObject({ code: 'ENOENT' })
  expect((await holdfast(['--catalog', catalog, 'run', 'list'])).stdout).toContain('no run yet')
  expect(good.stdout).toMatch(/1 first {2}shell +never run/)
  expect(good.stdout).toContain('expected: unknown')

  await holdfast(['--catalog', catalog, 'recover', 'web', '--yes'])
  const again = await holdfast(['--catalog', catalog, '--json', 'recover', 'web', '--dry-run'])
  expect(again.json()).toMatchObject({
    steps: [
      { id: 'first', effect: 'reversible', undo: true, attempts: 1 },
      { id: 'verify', undo: false },
    ],
    forecast: { basis: 'estimated', criticalPath: ['first', 'verify'], neverRun: [], fits: true, rtoMs: 3_600_000 },
  })
  const mermaid = await holdfast(['--catalog', catalog, 'recover', 'web', '--dry-run', '--format', 'mermaid'])
  expect(mermaid.stdout).toContain('s1 --> s2')

  const bad = await catalogIn(folder.path, [{ id: 'first', do: { shell: { run: ['no-such-program-here'] } } }, check('first')])
  const refused = await holdfast(['--catalog', bad, 'recover', 'web', '--dry-run'])
  expect(refused.exitCode).toBe(1)
  expect(refused.stdout).toContain('no-such-program-here does not exist')
})

function outcomeIn(result: HoldfastResult): PlanOutcome {
  expect(result.stdout, result.stderr).not.toBe('')
  return result.json<{ result: PlanOutcome }>().result
}

async function untilJournalHas(catalog: string, text: string): Promise<void> {
  for (;;) {
    const { stdout } = await holdfast(['--catalog', catalog, '--json', 'run', 'show', 'latest'])
    if (stdout.includes(text)) return
  }
}

test('a time to recover to is kept as ISO 8601, as the ledger wants it, however it was written', async () => {
  await using folder = await temporaryFolder('runs')
  const catalog = await catalogIn(folder.path, [shellStep('one', 'true'), check('one')])
  const result = await holdfast(['--catalog', catalog, '--json', 'recover', 'web', '--dry-run', '--to', '2026-11-22 15:30+01'])
  expect(result.json<object>()).toMatchObject({ target: { kind: 'time', time: '2026-11-22T14:30:00.000000Z' } })
})
