import { readFile, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { CtkJournal } from '../../src/chaos/index.ts'
import { holdfast, temporaryFolder } from '../support/holdfast.ts'

const sh = (script: string) => ({ type: 'process', path: 'sh', arguments: ['-c', script] })
const action = (name: string, script: string, more = {}) => ({ type: 'action', name, provider: sh(script), ...more })
const probe = (name: string, script: string, tolerance: unknown = 0) => ({ type: 'probe', name, provider: sh(script), tolerance })
const steady = (...probes: readonly object[]) => ({ 'steady-state-hypothesis': { title: 'it is well', probes } })

interface Ran {
  readonly exitCode: number
  readonly verdict: string
  readonly because: readonly string[]
  readonly journal: CtkJournal
  readonly played: readonly string[]
}

/** Runs an experiment in a folder, where its commands run too. */
async function run(folder: string, experiment: object, options: readonly string[] = []): Promise<Ran> {
  const file = join(folder, 'experiment.json')
  await writeFile(file, JSON.stringify({ title: 't', description: 'd', method: [], ...experiment }))
  const result = await holdfast(['chaos', 'run', file, '--json', ...options], { cwd: folder })
  if (result.stdout === '') throw new Error(result.stderr)
  const { verdict, because, journal } = result.json<Omit<Ran, 'exitCode' | 'played'>>()
  const played = [...journal.run, ...journal.rollbacks].map(({ activity }) => activity.name)
  return { exitCode: result.exitCode, verdict, because, journal, played }
}

test('what Chaos Toolkit calls a success and is none has another exit code', async () => {
  await using folder = await temporaryFolder('chaos')
  const { path } = folder
  const rollbacks = [action('undo', 'true')]
  const good = await run(path, { ...steady(probe('well', 'true')), method: [action('break', 'true')], rollbacks })
  expect(good).toMatchObject({ exitCode: 0, verdict: 'pass', played: ['break', 'undo'] })

  const unmet = await run(path, { ...steady(probe('ill', 'exit 1')), method: [action('break', 'touch broken')], rollbacks })
  expect(unmet).toMatchObject({ exitCode: 21, verdict: 'inconclusive', played: [], because: ['it was not steady before: ill'] })
  expect(unmet.journal.status).toBe('completed')
  expect(existsSync(join(path, 'broken'))).toBe(false)

  const failed = await run(path, { ...steady(probe('well', 'true')), method: [action('break', 'exit 3')], rollbacks })
  expect(failed).toMatchObject({ exitCode: 21, because: ['break ended with exit code 3'], played: ['break', 'undo'] })

  const nothing = await run(path, { ...steady(probe('well', 'true')) })
  expect(nothing).toMatchObject({ exitCode: 21, because: ['its method did nothing'] })
  const blind = await run(path, { method: [action('break', 'true')] })
  expect(blind).toMatchObject({ exitCode: 21, because: ['nobody looked whether it is steady once something was done'] })

  const stuck = await run(path, {
    ...steady(probe('well', 'true')),
    method: [action('break', 'true')],
    rollbacks: [action('undo', 'exit 1')],
  })
  expect(stuck).toMatchObject({ exitCode: 23, verdict: 'cleanup-failed' })
})

test('what was seen while it was broken counts, even if all is well afterwards', async () => {
  await using folder = await temporaryFolder('chaos')
  const method = [action('break', 'touch down; sleep 1; rm down')]
  const options = ['--hypothesis-strategy', 'continuously', '--hypothesis-frequency', '0.1']
  const dipped = await run(folder.path, { ...steady(probe('up', 'test ! -e down')), method }, options)
  expect(dipped).toMatchObject({ exitCode: 20, verdict: 'fail', because: ['it was not steady while it was broken: up'] })
  expect(dipped.journal).toMatchObject({
    status: 'completed',
    deviated: false,
    steady_states: { after: { steady_state_met: true } },
  })
})

test('a tolerance that cannot be compared is not met, and what was done is rolled back', async () => {
  await using folder = await temporaryFolder('chaos')
  const experiment = {
    ...steady(probe('odd', 'test ! -e done', 0), probe('no list', 'true', { type: 'regex', pattern: 'x', target: 'status' })),
    method: [action('break', 'touch done')],
    rollbacks: [action('undo', 'rm done')],
  }
  const after = await run(folder.path, experiment, ['--hypothesis-strategy', 'after-method-only'])
  expect(after).toMatchObject({ exitCode: 20, played: ['break', 'undo'] })
  const odd = await run(folder.path, { ...steady(probe('no text', 'true', { type: 'regex', pattern: '0', target: 'status' })) })
  expect(odd.journal.steady_states.before?.probes[0]).toMatchObject({
    tolerance_met: false,
    exception: ['TypeError: expected string or bytes-like object\n'],
  })
})

test.each([
  [
    'a module that cannot be imported',
    {
      method: [
        action('first', 'touch begun'),
        { type: 'action', name: 'x', provider: { type: 'python', module: 'no.such', func: 'f' } },
      ],
    },
    "could not find Python module 'no.such'",
  ],
  [
    'a control that is not known',
    {
      method: [action('first', 'touch begun')],
      controls: [{ name: 'guard', provider: { type: 'python', module: 'their.guard' } }],
    },
    'their.guard, which is not known here',
  ],
  ['a reference to nothing', { method: [action('first', 'touch begun'), { ref: 'nobody' }] }, "refers to 'nobody'"],
  [
    'an argument too many',
    {
      method: [
        action('first', 'touch begun'),
        { type: 'probe', name: 'x', provider: { type: 'python', module: 'os.path', func: 'join', arguments: { a: '', z: 1 } } },
      ],
    },
    'unexpected keyword',
  ],
  [
    'a path that is none',
    { ...steady(probe('p', 'true', { type: 'jsonpath', path: '$[' })), method: [action('first', 'touch begun')] },
    'is not a JSON path',
  ],
])('%s is refused before anything is begun', async (_, experiment, because) => {
  await using folder = await temporaryFolder('chaos')
  const file = join(folder.path, 'experiment.json')
  await writeFile(file, JSON.stringify({ title: 't', description: 'd', ...experiment }))
  const { exitCode, stderr } = await holdfast(['chaos', 'run', file], { cwd: folder.path })
  expect(stderr).toContain(because)
  expect(exitCode).toBe(2)
  expect(existsSync(join(folder.path, 'begun'))).toBe(false)
})

test('an interruption cuts off what runs, and rolls back', async () => {
  await using folder = await temporaryFolder('chaos')
  const file = join(folder.path, 'experiment.yaml')
  await writeFile(
    file,
    `title: t
description: d
method:
  - { type: action, name: long, provider: { type: process, path: sh, arguments: [-c, touch broken; exec sleep 60] } }
rollbacks:
  - { type: action, name: undo, provider: { type: process, path: rm, arguments: [broken] } }
`,
  )
  const journal = join(folder.path, 'journal.json')
  const signalled = async (signal: NodeJS.Signals) => {
    let child: { kill: (signal: NodeJS.Signals) => void } | undefined
    const ending = holdfast(['chaos', 'run', file, '--journal', journal], {
      cwd: folder.path,
      onStart: (started) => (child = started),
    })
    await expect.poll(() => existsSync(join(folder.path, 'broken')), { timeout: 30_000 }).toBe(true)
    child?.kill(signal)
    return await ending
  }
  const lines = async () =>
    (await readFile(`${journal}l`, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string })

  expect((await signalled('SIGTERM')).exitCode).toBe(22)
  expect(existsSync(join(folder.path, 'broken'))).toBe(false)
  const written = JSON.parse(await readFile(journal, 'utf8')) as CtkJournal
  expect(written).toMatchObject({ status: 'interrupted', holdfast: { verdict: 'aborted' }, rollbacks: [{ status: 'succeeded' }] })
  expect(written.run[0]).not.toHaveProperty('status')
  expect((await lines()).at(-1)).toMatchObject({ event: 'ended', verdict: 'aborted' })

  // Killed outright it leaves what it had begun, on disk before it began.
  await signalled('SIGKILL')
  expect((await lines()).map(({ event }) => event)).toEqual(['started', 'activity-began'])
})

test('the controls of Chaos Toolkit that are known do what they say', async () => {
  await using folder = await temporaryFolder('chaos')
  const control = (name: string, given: object) => ({
    name,
    provider: { type: 'python', module: `chaosaddons.controls.${name}`, arguments: given },
  })
  const base = { ...steady(probe('well', 'true')), rollbacks: [action('undo', 'true')] }
  const guarded = await run(folder.path, {
    ...base,
    method: [action('break', 'touch broken')],
    controls: [control('safeguards', { probes: [probe('safe', 'exit 1')] })],
  })
  expect(guarded).toMatchObject({ exitCode: 22, verdict: 'aborted', played: [] })
  expect(existsSync(join(folder.path, 'broken'))).toBe(false)

  const failing = { type: 'probe', name: 'safe', tolerance: [0, 9], provider: { ...sh('sleep 9'), timeout: 0.1 } }
  const broken = await run(folder.path, {
    ...base,
    method: [action('break', 'touch broken')],
    controls: [control('safeguards', { probes: [failing] })],
  })
  expect(broken.verdict).toBe('aborted')

  const bypassed = await run(folder.path, {
    ...base,
    method: [action('break', 'touch broken')],
    controls: [control('bypass', { target_type: 'action' })],
  })
  expect(bypassed.played).toEqual(['break'])
  expect(bypassed.verdict).toBe('inconclusive')
  expect(existsSync(join(folder.path, 'broken'))).toBe(false)

  const repeated = await run(folder.path, {
    ...base,
    method: [action('again', 'true', { controls: [control('repeat', { repeat_count: 3 })] })],
  })
  expect(repeated.played).toEqual(['again', 'again', 'again', 'undo'])
})

test('a secret that stands in the experiment is not in the journal', async () => {
  await using folder = await temporaryFolder('chaos')
  const secrets = { scope: { token: 'hunter2', other: { type: 'env', key: 'HOME' } } }
  const { journal } = await run(folder.path, { secrets, method: [action('use', 'test -n "$0"')] })
  expect(JSON.stringify(journal)).not.toContain('hunter2')
  expect(journal.experiment.secrets).toEqual({ scope: { token: '(secret)', other: { type: 'env', key: 'HOME' } } })
})
