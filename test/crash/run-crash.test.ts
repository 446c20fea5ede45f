import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, expect, test } from 'vitest'
import { actions } from '../../src/actions/index.ts'
import { openLocalEngine, type RunEvent } from '../../src/durable/index.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { createPlanHandler, planHash, type Plan, type PlanOutcome, type PlanStep } from '../../src/recovery/index.ts'
import { codeVersion, outcomeOf, passingCheck, planOf, servicesIn, stepThatCounts, submitPlan } from '../support/plans.ts'
import { testProgram } from '../support/program.ts'

/** What a step does shows in the file `effects`: a line per execution. Its probe sees a whole execution, as that of a real action would. */
function probed(folder: string, id: string, parts: Partial<PlanStep> = {}): PlanStep {
  const shell = { probe: `test -e '${folder}/effects' || exit 1; grep -qx ${id} '${folder}/effects'` }
  return stepThatCounts(folder, id, { ...parts, shell })
}

/** Parallel branches, a retry, a check, a wait, a commit window: and in the failing plan, a way back. */
function plans(folder: string): Record<'recovers' | 'fails', Plan> {
  const retried = `echo try >> '${folder}/tries'; test "$(wc -l < '${folder}/tries')" -ge 2 && echo b >> '${folder}/effects'`
  const steps = [
    probed(folder, 'a'),
    stepThatCounts(folder, 'b', {
      after: ['a'],
      retry: { attempts: 3, delayMs: 5, factor: 1, maxDelayMs: 10 },
      shell: { run: retried, probe: `grep -qx b '${folder}/effects'` },
    }),
    probed(folder, 'c', {
      after: ['a'],
      check: { kind: 'shell', params: { run: ['true'], effect: 'read-only' }, everyMs: 5, timeoutMs: 10_000 },
    }),
    stepThatCounts('', 'pause', { after: ['c'], action: { kind: 'wait', params: { for: '10ms' } } }),
    probed(folder, 'd', { after: ['b', 'pause'] }),
  ]
  return {
    recovers: planOf([
      ...steps,
      stepThatCounts('', 'window', { after: ['d'], action: { kind: 'commit', params: { within: '10ms', else: 'commit' } } }),
      passingCheck('verify', ['window']),
    ]),
    fails: planOf([
      ...steps,
      stepThatCounts(folder, 'e', { after: ['d'], shell: { run: 'exit 9', probe: 'exit 1' } }),
      passingCheck('verify', ['e']),
    ]),
  }
}

function openEngine(folder: string) {
  return openLocalEngine({ directory: folder, handler: createPlanHandler({ actions, services: servicesIn(folder) }) })
}

async function workFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-crash-'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

async function effectsIn(folder: string): Promise<string[]> {
  const text = await readFile(join(folder, 'effects'), 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '')
}

/** Resumes the run in this process; submits it when the crash came before it was durable. */
async function recoverRun(folder: string, plan: Plan): Promise<PlanOutcome> {
  await using engine = openEngine(folder)
  if ((await engine.list()).length === 0) await submitPlan(engine, plan)
  else await engine.resume('r', { planHash: planHash(plan, codeVersion), codeVersion })
  return await outcomeOf(engine)
}

const expected = {
  recovers: { status: 'succeeded', effects: ['a', 'b', 'c', 'd'] },
  // An undo of shell has no probe: it is idempotent by contract, so one that was in flight may show twice.
  fails: { status: 'rolled-back', effects: ['a', 'b', 'c', 'd', 'undo-a', 'undo-b', 'undo-c', 'undo-d'] },
} as const

/** What such a run records at least: fewer crashes than that, and the test has not looked everywhere. */
const records = { recovers: 28, fails: 34 }
const worker = testProgram('crash/run-process')

/** The compile cache halves what most of the time goes into: starting Node some sixty times. */
function runWorker(folder: string, planFile: string, crashAfter: string) {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'holdfast-test-compile-cache') }
  return runProcess(process.execPath, [worker, folder, planFile, crashAfter], { env })
}

test.for(['recovers', 'fails'] as const)(
  'a run that %s, killed with SIGKILL at each of its records, goes on and repeats no committed step',
  async (name) => {
    let crashes = 0
    for (let crashAfter = 1; ; crashAfter++) {
      await using work = await workFolder()
      const { folder } = work
      const plan = plans(folder)[name]
      await writeFile(join(folder, 'plan.json'), JSON.stringify(plan))
      const child = await runWorker(folder, join(folder, 'plan.json'), String(crashAfter))
      if (child.signal !== 'SIGKILL') {
        // It came to its end before that record.
        assert.equal(child.stderr, '')
        break
      }
      crashes++
      const committed = await committedSteps(folder)
      const before = await effectsIn(folder)
      const outcome = await recoverRun(folder, plan)

      expect(outcome.status, `after record ${crashAfter}`).toBe(expected[name].status)
      const after = await effectsIn(folder)
      expect([...new Set(after)].sort(), `after record ${crashAfter}`).toEqual(expected[name].effects)
      const repeated = after.slice(before.length).filter((line) => committed.has(effectStep(line)))
      expect(repeated, `committed steps done again after record ${crashAfter}`).toEqual([])
      // Steps with a probe are not even repeated when the crash came between their doing and its record.
      expect(after.filter((line) => !line.startsWith('undo')).length, `after record ${crashAfter}`).toBe(4)
    }
    expect(crashes).toBeGreaterThanOrEqual(records[name])
  },
)

test.for(['recovers', 'fails'] as const)(
  'the journal of a run that %s, cut after each record and torn in the next, resumes to the same end',
  async (name) => {
    await using work = await workFolder()
    const { folder } = work
    const plan = plans(folder)[name]
    const whole = await recoverRun(folder, plan)
    const journal = join(folder, 'runs/r/journal.ndjson')
    const lines = (await readFile(journal, 'utf8')).trimEnd().split('\n')

    for (let kept = 1; kept < lines.length; kept++) {
      const torn = (lines[kept] ?? '').slice(0, Math.ceil((lines[kept] ?? '').length / 2))
      await rm(join(folder, 'runs'), { recursive: true })
      await mkdir(join(folder, 'runs/r'), { recursive: true })
      await writeFile(journal, `${lines.slice(0, kept).join('\n')}\n${torn}`)
      const committed = await committedSteps(folder)
      // The world as it was when these records were written: what was committed has happened.
      await writeFile(
        join(folder, 'effects'),
        [...committed]
          .filter((step) => /^[abcd](:undo)?$/.test(step))
          .map(effectLine)
          .join(''),
      )
      const before = await effectsIn(folder)
      const outcome = await recoverRun(folder, plan)

      expect(outcome.status, `after record ${kept}`).toBe(whole.status)
      const repeated = (await effectsIn(folder)).slice(before.length).filter((line) => committed.has(effectStep(line)))
      expect(repeated, `committed steps done again after record ${kept}`).toEqual([])
      expect(outcome.steps.map(({ id, state }) => [id, state])).toEqual(whole.steps.map(({ id, state }) => [id, state]))
    }
    expect(lines.length).toBeGreaterThanOrEqual(records[name])
  },
)

test('a journal damaged in its middle is not resumed, and the file and line are named', async () => {
  await using work = await workFolder()
  const { folder } = work
  const plan = plans(folder).recovers
  await recoverRun(folder, plan)
  const journal = join(folder, 'runs/r/journal.ndjson')
  const text = await readFile(journal, 'utf8')
  const lines = text.split('\n')
  lines[4] = (lines[4] ?? '').replace('"attempt":1', '"attempt":2')
  expect(lines.join('\n')).not.toBe(text)
  await writeFile(journal, lines.join('\n'))
  await expect(recoverRun(folder, plan)).rejects.toMatchObject({ code: 'journal-damaged', details: { file: journal, line: 5 } })
})

test('of two processes that resume one run, exactly one works on it', async () => {
  await using work = await workFolder()
  const { folder } = work
  const plan = planOf([
    stepThatCounts(folder, 'slow', { shell: { run: `echo slow >> '${folder}/effects'; sleep 1`, idempotent: true } }),
    passingCheck('verify', ['slow']),
  ])
  const file = join(folder, 'plan.json')
  await writeFile(file, JSON.stringify(plan))
  const crashed = await runWorker(folder, file, '3')
  expect(crashed.signal).toBe('SIGKILL')
  const ends = await Promise.all([0, 0, 0].map((none) => runWorker(folder, file, String(none))))
  expect(ends.filter(({ exitCode }) => exitCode === 0)).toHaveLength(1)
  for (const { stderr } of ends.filter(({ exitCode }) => exitCode !== 0)) expect(stderr).toContain('run-busy')
  expect(await effectsIn(folder)).toEqual(['slow'])
})

test('what a killed orchestrator left running is ended before the step runs again', async () => {
  await using work = await workFolder()
  const { folder } = work
  const run = `echo begun >> '${folder}/effects'; sleep 1.5; echo late >> '${folder}/effects'`
  const plan = planOf([stepThatCounts(folder, 'slow', { shell: { run, idempotent: true } }), passingCheck('verify', ['slow'])])
  const file = join(folder, 'plan.json')
  await writeFile(file, JSON.stringify(plan))
  const crashing = runWorker(folder, file, 'when-begun')
  expect((await crashing).signal).toBe('SIGKILL')
  expect(await effectsIn(folder)).toEqual(['begun'])

  expect((await recoverRun(folder, plan)).status).toBe('succeeded')
  expect(await effectsIn(folder)).toEqual(['begun', 'begun', 'late'])
})

test('a changed plan does not go on with an old run', async () => {
  await using work = await workFolder()
  const { folder } = work
  const { recovers, fails } = plans(folder)
  const file = join(folder, 'plan.json')
  await writeFile(file, JSON.stringify(recovers))
  await runWorker(folder, file, '8')
  const before = await effectsIn(folder)
  await expect(recoverRun(folder, fails)).rejects.toMatchObject({ code: 'plan-changed' })
  expect(await effectsIn(folder)).toEqual(before)
  expect((await recoverRun(folder, recovers)).status).toBe('succeeded')
})

async function committedSteps(folder: string): Promise<Set<string>> {
  await using engine = openEngine(folder)
  const events: RunEvent[] = (await engine.list()).length === 0 ? [] : await Array.fromAsync(engine.history('r'))
  return new Set(events.flatMap((event) => (event.type === 'step-committed' ? [event.step] : [])))
}

/** The step that a line of `effects` belongs to, and back. */
function effectStep(line: string): string {
  return line.startsWith('undo-') ? `${line.slice('undo-'.length)}:undo` : line
}

function effectLine(step: string): string {
  return step.endsWith(':undo') ? `undo-${step.slice(0, -':undo'.length)}\n` : `${step}\n`
}
