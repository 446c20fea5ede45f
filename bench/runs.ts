import { execFile } from 'node:child_process'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { noOpPlan, noOpSpec, openNoOpEngine, planShapes, type PlanShape } from '../test/support/no-op-plan.ts'
import type { Benchmark, Figure } from './benchmark.ts'
import { measure, scaled } from './measure.ts'

const steps = 1000
const historySteps = 10_000
const main = fileURLToPath(new URL('../bin/holdfast.js', import.meta.url))

/** What a run of a plan costs beside what its steps do, and how soon a long one is shown. */
export const runs: Benchmark = {
  name: 'runs',
  about: 'the interpreter and its journal, with steps that do nothing; all of it durable',
  async measure(rounds) {
    const figures: Figure[] = [await bareDisk(rounds)]
    for (const shape of planShapes) figures.push(await overhead(shape, rounds))
    figures.push(await resumed(rounds))
    figures.push(...(await shown(rounds)))
    return figures
  },
}

/** What the disk alone takes for a step of a chain: the start and the result are each on disk before the next thing is done. */
async function bareDisk(rounds: number): Promise<Figure> {
  await using folder = await scratch()
  const line = `${'x'.repeat(180)}\n`
  const took = await measure(rounds, async () => {
    await using file = await open(join(folder.path, 'log'), 'a')
    for (let write = 0; write < 2 * steps; write++) {
      await file.appendFile(line)
      await file.datasync()
    }
  })
  return {
    what: `the disk alone: ${2 * steps} appends of 180 bytes, each with fdatasync`,
    unit: 'ms a step',
    value: scaled(took, 1 / steps),
  }
}

async function overhead(shape: PlanShape, rounds: number): Promise<Figure> {
  const took = await measure(rounds, async () => {
    await using folder = await scratch()
    return await runPlan(folder.path, shape, steps)
  })
  return {
    what: `a run of ${steps} steps, ${shape}`,
    unit: 'ms a step',
    value: scaled(took, 1 / steps),
    goal: 2,
  }
}

/** Milliseconds from submission to the end. */
async function runPlan(folder: string, shape: PlanShape, count: number): Promise<number> {
  await using engine = openNoOpEngine(folder)
  const spec = noOpSpec('run', noOpPlan(shape, count))
  const startedMs = performance.now()
  await engine.submit(spec)
  const result = await engine.attach('run')
  const tookMs = performance.now() - startedMs
  const status = result.state === 'completed' ? (result.value as { status: string }).status : result.error.message
  if (status !== 'succeeded') throw new Error(`the run did not succeed: ${status}`)
  return tookMs
}

/** A run that was let go after its first half goes on: what it has done is read back, not done again. */
async function resumed(rounds: number): Promise<Figure> {
  const took = await measure(rounds, async () => {
    await using folder = await scratch()
    const spec = noOpSpec('run', noOpPlan('chain', steps))
    {
      await using engine = openNoOpEngine(folder.path)
      await engine.submit(spec)
      for await (const event of engine.history('run', { follow: true })) {
        if (event.type === 'step-committed' && event.step === `step-${steps / 2}`) break
      }
    }
    await using engine = openNoOpEngine(folder.path)
    const startedMs = performance.now()
    await engine.resume('run', spec)
    for await (const event of engine.history('run', { follow: true })) if (event.type === 'resumed') break
    return performance.now() - startedMs
  })
  return { what: `resuming a run of ${steps} steps after its first half`, unit: 'ms', value: took }
}

/** The whole command, from its start to its end, in the folder of a catalog with one long run. */
async function shown(rounds: number): Promise<Figure[]> {
  await using folder = await scratch()
  await runPlan(join(folder.path, '.holdfast'), 'layers', historySteps)
  const started = async (program: string, args: readonly string[]) => {
    await promisify(execFile)(program, args, { cwd: folder.path, maxBuffer: 2 ** 28 })
  }
  const command = (args: readonly string[]) => () => started(process.execPath, [main, ...args])
  // util-linux's script gives it a terminal, on which the run is drawn.
  const drawn = (args: readonly string[]) => () =>
    started('script', ['-qec', `TERM=xterm exec '${process.execPath}' '${main}' ${args.join(' ')}`, '/dev/null'])
  const figures: Figure[] = [
    { what: 'the program alone: holdfast --version', unit: 'ms', value: await measure(rounds, command(['--version'])) },
  ]
  for (const { what, work } of [
    { what: 'run show', work: command(['run', 'show', 'run']) },
    { what: 'run show --json', work: command(['run', 'show', 'run', '--json']) },
    { what: 'run list', work: command(['run', 'list']) },
    { what: 'run watch', work: command(['run', 'watch', 'run']) },
    { what: 'run watch, on a terminal', work: drawn(['run', 'watch', 'run']) },
  ]) {
    figures.push({ what: `holdfast ${what}: ${historySteps} steps`, unit: 'ms', value: await measure(rounds, work), goal: 1000 })
  }
  return figures
}

async function scratch(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-bench-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
