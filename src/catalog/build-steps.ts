import { parseDuration, type Json } from '../kernel/index.ts'
import { fillInParams, renameSteps } from './plan-params.ts'
import { present } from './present.ts'
import type { CatalogFile } from './schema.ts'
import type * as catalog from './types.ts'

type FilePlan = CatalogFile['plans'][string]
type FileStep = FilePlan['steps'][number]
type FileDisaster = NonNullable<FileStep['disaster']>

interface Place {
  readonly plans: CatalogFile['plans']
  /** What stands before the ids of the steps: `db/`. */
  readonly prefix: string
  /** What the plan's parameters are. */
  readonly params: Readonly<Record<string, Json>>
  /** What the step that uses this plan waits for, and on which conditions. */
  readonly after: readonly string[]
  readonly when: readonly catalog.Condition[]
}

/**
 * The steps of a plan, with those of the plans that it uses in their places: `{ id: db, plan: restore-db }` becomes `db/restore`,
 * `db/start`, …; who waits for `db` waits for all of them. Groups come along under their new names.
 */
export function buildSteps(name: string, plans: CatalogFile['plans']): Pick<catalog.Plan, 'steps' | 'groups'> {
  const groups: Record<string, number> = Object.create(null) as Record<string, number>
  return { steps: expand(name, { plans, prefix: '', params: {}, after: [], when: [] }, groups), groups }
}

/** The plans that a plan uses as steps, directly or through others, each once. They must not use each other in a circle. */
export function usedPlans(name: string, plans: CatalogFile['plans']): string[] {
  const direct = (plans[name]?.steps ?? []).flatMap(({ plan }) => plan ?? [])
  return [...new Set(direct.flatMap((used) => [used, ...usedPlans(used, plans)]))]
}

function expand(name: string, place: Place, groups: Record<string, number>): catalog.Step[] {
  const plan = place.plans[name]
  if (plan === undefined) return []
  const params = { ...defaultsOf(plan), ...place.params }
  for (const [group, { limit }] of Object.entries(plan.groups)) groups[place.prefix + group] = limit
  const here: Place = { ...place, params }
  const uses = new Map(plan.steps.flatMap((step) => (step.plan === undefined ? [] : [[step.id, step.plan] as const])))
  const lastOf = (id: string): string[] => {
    const used = uses.get(id)
    return used === undefined ? [here.prefix + id] : leavesOf(used, `${here.prefix}${id}/`, place.plans)
  }
  return plan.steps.flatMap((step) => {
    const after = step.after.length === 0 ? place.after : step.after.flatMap(lastOf)
    const when = [...place.when, ...(step.when === undefined ? [] : [buildCondition(step.when, here)])]
    if (step.plan === undefined) return [buildStep(step, here, after, when)]
    const given = resolved((step.with ?? {}) as Json, here) as Record<string, Json>
    return expand(step.plan, { plans: place.plans, prefix: `${here.prefix}${step.id}/`, params: given, after, when }, groups)
  })
}

/** The steps of a plan that no other of its steps waits for: when they are done, it is. */
function leavesOf(name: string, prefix: string, plans: CatalogFile['plans']): string[] {
  const steps = plans[name]?.steps ?? []
  const awaited = new Set(steps.flatMap(({ after }) => after))
  return steps
    .filter(({ id }) => !awaited.has(id))
    .flatMap(({ id, plan }) => (plan === undefined ? [prefix + id] : leavesOf(plan, `${prefix}${id}/`, plans)))
}

function defaultsOf({ params }: FilePlan): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(params).flatMap(([name, { default: value }]) => (value === undefined ? [] : [[name, value as Json]])),
  )
}

/** A value of a step as the whole plan has it: steps by their full names, parameters filled in. */
function resolved(value: Json, { prefix, params }: Place): Json {
  return fillInParams(renameSteps(value, prefix), params)
}

function buildCondition({ value, equals, notEquals }: NonNullable<FileStep['when']>, place: Place): catalog.Condition {
  const at = resolved(value, place)
  return equals === undefined
    ? { value: at, notEquals: resolved(notEquals as Json, place) }
    : { value: at, equals: resolved(equals as Json, place) }
}

function buildStep(step: FileStep, place: Place, after: readonly string[], when: readonly catalog.Condition[]): catalog.Step {
  const { description, timeout, retry, check, undo, disaster, group, onFailure } = step
  const timeoutMs = parseDuration(timeout)
  return present({
    id: place.prefix + step.id,
    description,
    do: buildAction(step.do ?? {}, place),
    after,
    when,
    group: group === undefined ? undefined : place.prefix + group,
    timeoutMs,
    retry: {
      attempts: retry?.attempts ?? 1,
      backoffMs: parseDuration(retry?.backoff ?? '1s'),
      factor: retry?.factor ?? 2,
      maxBackoffMs: parseDuration(retry?.maxBackoff ?? '1m'),
    },
    check: check && buildCheck(check, place),
    undo: undo && buildAction(undo, place),
    disaster: disaster && buildDisaster(disaster, timeoutMs, place),
    onFailure,
  })
}

function buildDisaster(
  { do: action, check, undo, skip, timeout }: FileDisaster,
  timeoutMs: number,
  place: Place,
): catalog.DisasterForm {
  if (skip !== undefined) return { skip }
  return present({
    do: buildAction(action ?? {}, place),
    check: check && buildCheck(check, place),
    undo: undo && buildAction(undo, place),
    timeoutMs: timeout === undefined ? timeoutMs : parseDuration(timeout),
  })
}

export function buildCheck(check: NonNullable<FileStep['check']>, place?: Place): catalog.StepCheck {
  const { every, timeout, ...action } = check
  return { ...buildAction(action, place), everyMs: parseDuration(every), timeoutMs: parseDuration(timeout) }
}

export function buildAction(call: Readonly<Record<string, unknown>>, place?: Place): catalog.ActionCall {
  const [kind = '', params = {}] = Object.entries(call).find(([, params]) => params !== undefined) ?? []
  return { kind, params: place === undefined ? (params as Json) : resolved(params as Json, place) }
}
