import { join } from 'node:path'
import { z } from 'zod'
import { absolutePath, durationText, type Catalog } from '../catalog/index.ts'
import { blocker, HoldfastError, parseDuration, quote, type Finding } from '../kernel/index.ts'
import { absent, partly, present } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { programFindings } from './program/command.ts'
import { killRunnerAt } from './runner/kill-at-step.ts'
import { drillRuns, finishRun } from './runner/runs.ts'

const params = z.strictObject({
  plan: z.string().describe('A plan of the catalog. It is drilled in a sandbox.'),
  step: z.string().describe('The step of it at which the runner is killed, as soon as it is on record that it has begun.'),
  within: durationText.describe('How long the drill may take to get there, and, once it goes on, to its end.').default('10m'),
  program: absolutePath.describe('The command holdfast. Default: the one that injects the fault.').optional(),
})

const traces = z.strictObject({
  program: z.array(z.string()),
  catalog: z.string(),
  run: z.string(),
  withinMs: z.number(),
})

/** Recovery survives the death of whoever does it, at a step of a plan. */
export const holdfastRunnerKill = defineFault<z.infer<typeof params>, z.infer<typeof traces>>({
  kind: 'holdfast.runner-kill',
  description:
    'Starts a drill of a plan in a sandbox, and kills its runner with SIGKILL once a step has begun. Until the end of the fault nobody works on the run, as after the loss of a machine; then what the run had started is ended too, `holdfast run resume` goes on with it, and the fault is over once the run has ended. How it ended is not judged by the fault: let a probe of the hypothesis look at `holdfast drill list`. The drill is on record like any other.',
  example: { plan: 'orders-failover', step: 'promote' },
  params,
  traces,
  expiry: 'never',

  async preflight({ plan, step, program }, { catalog }) {
    if (catalog === undefined) return [noCatalog]
    return [...planFindings(catalog, plan, step), ...programFindings(commandOf(program))]
  },

  async plan({ plan, step, within, program }, { id, catalog }) {
    if (catalog === undefined) throw new HoldfastError('fault-refused', { message: noCatalog.message })
    const run = `drill-${plan}-fault-${id}`
    return {
      targets: [`the runner of the drill ${run}, at step ${step}`],
      traces: { program: commandOf(program), catalog: catalog.file, run, withinMs: parseDuration(within) },
    }
  },

  async inject({ plan, step }, { program, catalog, run, withinMs }, context, signal) {
    const command = [...program, '--catalog', catalog, '--json', 'drill', 'run', plan, '--run-id', run]
    await using runs = drillRuns(catalog)
    await killRunnerAt(runs, { command, run, step, withinMs, output: join(context.folder, 'output') }, context, signal)
  },

  async look({ catalog, run }) {
    await using runs = drillRuns(catalog)
    const state = await runs.stateOf(run)
    if (state === 'interrupted') return present
    return state === 'running' || state === 'waiting' ? partly(`somebody works on ${run}`) : absent
  },

  async undo({ program, catalog, run, withinMs }, _context, signal) {
    await using runs = drillRuns(catalog)
    await finishRun(runs, { command: [...program, ...resume(catalog, run)], run, withinMs }, signal)
  },

  manualUndo: ({ catalog, run }) => [`holdfast ${resume(catalog, run).map(quote).join(' ')}`],
})

const noCatalog = blocker(
  'no-catalog',
  'a plan is to be drilled, and there is no catalog',
  'inject it by an experiment of the catalog',
)

function planFindings({ plans }: Catalog, plan: string, step: string): Finding[] {
  const found = Object.hasOwn(plans, plan) ? plans[plan] : undefined
  const of = (things: readonly string[]) => `there are: ${things.join(', ') || 'none'}`
  if (found === undefined) return [blocker('no-plan', `the catalog has no plan '${plan}'`, of(Object.keys(plans)))]
  const steps = found.steps.map(({ id }) => id)
  return steps.includes(step) ? [] : [blocker('no-step', `the plan ${plan} has no step '${step}'`, of(steps))]
}

/** This program, also for those that run it when this process is gone. */
function commandOf(program: string | undefined): string[] {
  return program === undefined ? [process.execPath, process.argv[1] ?? ''] : [program]
}

function resume(catalog: string, run: string): string[] {
  return ['--catalog', catalog, 'run', 'resume', run]
}
