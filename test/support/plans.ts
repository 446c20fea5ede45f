import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { actions, type ActionContext } from '../../src/actions/index.ts'
import type { Catalog } from '../../src/catalog/index.ts'
import { openLocalEngine, type DurableEngine } from '../../src/durable/index.ts'
import { HoldfastError, systemClock } from '../../src/kernel/index.ts'
import {
  actionContext,
  createPlanHandler,
  inputAsJson,
  planHash,
  planOutcome,
  type ActionServices,
  type Plan,
  type PlanInput,
  type PlanOutcome,
  type PlanStep,
} from '../../src/recovery/index.ts'

export const codeVersion = 'test-1'

type StepParts = Partial<PlanStep> & { readonly run?: string; readonly undo?: PlanStep['undo'] }

/** A step that appends its name to the file `effects` of the folder, so that every execution counts. */
export function stepThatCounts(
  folder: string,
  id: string,
  { after = [], ...parts }: StepParts & { shell?: object } = {},
): PlanStep {
  const { shell = {}, ...rest } = parts
  return {
    id,
    action: {
      kind: 'shell',
      params: { run: `echo ${id} >> '${folder}/effects'`, undo: `echo undo-${id} >> '${folder}/effects'`, ...shell },
    },
    after,
    timeoutMs: 20_000,
    retry: { attempts: 1, delayMs: 10, factor: 1, maxDelayMs: 100 },
    onFailure: 'undo',
    ...rest,
  }
}

/** A read-only step that passes: a plan needs one. */
export function passingCheck(id: string, after: readonly string[]): PlanStep {
  return stepThatCounts('', id, { after, action: { kind: 'shell', params: { run: ['true'], effect: 'read-only' } } })
}

export function planOf(steps: readonly PlanStep[]): Plan {
  return { name: 'test', recovers: [], environment: 'test', steps }
}

export function inputOf(plan: Plan, parts: Partial<PlanInput> = {}): PlanInput {
  return {
    plan,
    planHash: planHash(plan, codeVersion),
    target: { kind: 'latest' },
    requestedBy: 'alice',
    onsetAt: new Date().toISOString(),
    decisions: 'stop',
    form: 'normal',
    ...parts,
  }
}

export function servicesIn(folder: string): ActionServices {
  const unavailable = (what: string) => () =>
    Promise.reject(new HoldfastError('not-found', { message: `this test has no ${what}` }))
  return {
    catalog: {} as Catalog,
    clock: systemClock,
    stateDirectory: folder,
    runDirectory: (runId) => join(folder, 'runs', runId),
    openRepository: unavailable('repository'),
    resolveSecret: unavailable('secret'),
    fetching: () => {
      throw new HoldfastError('not-found', { message: 'this test has no WAL' })
    },
    progress: () => {},
  }
}

/** What a single action sees when it is tried by itself. */
export function contextIn(folder: string, parts: Partial<ActionContext> = {}): ActionContext {
  const input = { planHash: 'hash', requestedBy: 'alice', target: { kind: 'latest' } } as const
  return { ...actionContext(servicesIn(folder), 'r', input, 'a', {}), ...parts }
}

export interface PlanWorkshop extends AsyncDisposable {
  readonly folder: string
  open(afterRecord?: (runId: string, seq: number) => void): DurableEngine
  /** Submits the plan as run `r` and gives its outcome. */
  run(plan: Plan, parts?: Partial<PlanInput>): Promise<PlanOutcome>
  /** The lines that the steps have appended, in order. */
  effects(): Promise<string[]>
}

/** A folder for runs of plans, and real shell steps. */
export async function planWorkshop(): Promise<PlanWorkshop> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-plans-'))
  const open: PlanWorkshop['open'] = (afterRecord) =>
    openLocalEngine({
      directory: folder,
      handler: createPlanHandler({ actions, services: servicesIn(folder) }),
      ...(afterRecord === undefined ? {} : { afterRecord }),
    })
  return {
    folder,
    open,
    async run(plan, parts) {
      await using engine = open()
      await submitPlan(engine, plan, parts)
      return await outcomeOf(engine)
    },
    async effects() {
      const text = await readFile(join(folder, 'effects'), 'utf8').catch(() => '')
      return text.split('\n').filter((line) => line !== '')
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

export async function submitPlan(engine: DurableEngine, plan: Plan, parts?: Partial<PlanInput>): Promise<void> {
  const input = inputOf(plan, parts)
  await engine.submit({ runId: 'r', planHash: input.planHash, codeVersion, input: inputAsJson(input) })
}

export async function outcomeOf(engine: DurableEngine, runId = 'r'): Promise<PlanOutcome> {
  const result = await engine.attach(runId)
  if (result.state === 'failed') throw new Error(`the run itself failed: ${result.error.code}: ${result.error.message}`)
  return planOutcome.parse(result.value)
}
