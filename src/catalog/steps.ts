import { findCycles } from './graph.ts'
import { isPlainMap, type Finding, type Path } from './finding.ts'
import type { CatalogSource } from './catalog-source.ts'

/** Whether an action of a step, or a fault of an experiment, stands at this path: { kind: parameters }. */
export function calledAt(path: Path): 'action' | 'fault' | undefined {
  if (isAction(path)) return 'action'
  const [section, , list, index, member] = path
  const isFault = path.length === 5 && section === 'experiments' && list === 'faults' && typeof index === 'number'
  return isFault && member === 'inject' ? 'fault' : undefined
}

/** Whether an action of a step stands at this path. */
export function isAction(path: Path): boolean {
  const [section, , list, index, ...rest] = path
  if (list === 'drill')
    return section === 'plans' && index === 'substitute' && rest.length === 2 && (rest[1] === 'do' || rest[1] === 'check')
  const member = rest[0] === 'disaster' && rest.length === 2 ? rest[1] : rest.length === 1 ? rest[0] : undefined
  return (
    section === 'plans' &&
    list === 'steps' &&
    typeof index === 'number' &&
    (member === 'do' || member === 'check' || member === 'undo')
  )
}

interface StepSeen {
  readonly id: string
  readonly after: readonly { readonly id: string; readonly path: Path }[]
  readonly path: Path
  readonly value: Readonly<Record<string, unknown>>
}

/** What is wrong between the steps of each plan: ids used twice, steps that wait for each other, outputs that are not there yet. */
export function stepFindings(catalog: unknown, source: CatalogSource): Finding[] {
  if (!isPlainMap(catalog) || !isPlainMap(catalog.plans)) return []
  const { plans } = catalog
  return Object.entries(plans).flatMap(([name, plan]) => {
    if (!isPlainMap(plan) || !Array.isArray(plan.steps)) return []
    const steps = plan.steps.flatMap((step: unknown, index) => seen(step, ['plans', name, 'steps', index]))
    // Of two with the same id the first counts: the second is a finding of its own.
    const distinct = steps.filter((step, index) => steps.findIndex(({ id }) => id === step.id) === index)
    const cycles = cycleFindings(name, distinct, source)
    return [...repeatedIds(name, steps, source), ...cycles, ...(cycles.length > 0 ? [] : outputFindings(distinct, plans, source))]
  })
}

function seen(step: unknown, path: Path): StepSeen[] {
  if (!isPlainMap(step) || typeof step.id !== 'string') return []
  const after = Array.isArray(step.after) ? step.after : []
  return [
    {
      id: step.id,
      path,
      value: step,
      after: after.flatMap((id: unknown, index) => (typeof id === 'string' ? [{ id, path: [...path, 'after', index] }] : [])),
    },
  ]
}

function repeatedIds(plan: string, steps: readonly StepSeen[], source: CatalogSource): Finding[] {
  const first = new Map<string, StepSeen>()
  return steps.flatMap((step) => {
    const other = first.get(step.id)
    if (other === undefined) {
      first.set(step.id, step)
      return []
    }
    const { line } = source.place(source.valueOffset([...other.path, 'id']))
    return [
      {
        code: 'duplicate-id' as const,
        offset: source.valueOffset([...step.path, 'id']),
        message: `two steps of the plan ${plan} are called '${step.id}'`,
        expected: 'an id that no other step of the plan has',
        hint: `line ${line} has it first; rename one of the two`,
      },
    ]
  })
}

function cycleFindings(plan: string, steps: readonly StepSeen[], source: CatalogSource): Finding[] {
  return findCycles(new Map(steps.map(({ id, after }) => [id, after.map((before) => before.id)]))).map((cycle) => ({
    code: 'step-cycle',
    offset: closingOffset(cycle, steps, source),
    message: `steps of the plan ${plan} wait for each other: ${cycle.join(' → ')}`,
    expected: 'an order in which every step can begin',
    hint: "remove one of these from 'after'",
  }))
}

/** Where the last name of a cycle leads back to its first. */
function closingOffset(cycle: readonly string[], steps: readonly StepSeen[], source: CatalogSource): number {
  const closing = steps.find(({ id }) => id === cycle.at(-2))?.after.find(({ id }) => id === cycle[0])
  return closing === undefined ? 0 : source.valueOffset(closing.path)
}

/** `${steps.ID.NAME}` where ID is no step, or one that need not be done by then. */
function outputFindings(steps: readonly StepSeen[], plans: Readonly<Record<string, unknown>>, source: CatalogSource): Finding[] {
  const byId = new Map(steps.map((step) => [step.id, step]))
  const beforeCommit = steps.map(({ id }) => id).filter((id) => !ancestors(byId.get(id), byId, []).has('commit'))
  return steps.flatMap((step) => {
    const before = ancestors(step, byId, beforeCommit)
    return outputReferences(step.value, step.path).flatMap(({ id, path }): Finding[] => {
      const offset = referenceOffset(path, id, source)
      // A check and an undo come after their own step.
      const member = path[4] === 'disaster' ? path[5] : path[4]
      const [own = '', ...inner] = id.split('/')
      const afterItself = own === step.id && (member === 'check' || member === 'undo')
      if ((afterItself || before.has(own)) && hasStep(byId.get(own), inner, plans)) return []
      if (!hasStep(byId.get(own), inner, plans))
        return [
          {
            code: 'unknown-reference',
            offset,
            message: `an output of the step '${id}' is used, which does not exist in this plan`,
            expected: `one of ${[...byId.keys()].join(', ')}`,
          },
        ]
      return [
        {
          code: 'unknown-reference',
          offset,
          message: `step ${step.id} uses an output of '${id}', but does not wait for it`,
          hint:
            own === step.id
              ? 'a step has no output before it is done'
              : `write after: [${[...step.after.map((entry) => entry.id), own].join(', ')}]`,
        },
      ]
    })
  })
}

function ancestors(
  step: StepSeen | undefined,
  byId: ReadonlyMap<string, StepSeen>,
  beforeCommit: readonly string[],
): Set<string> {
  const found = new Set<string>()
  const open = step?.after.map(({ id }) => id) ?? []
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue
    found.add(id)
    const named = byId.get(id)?.after.map((before) => before.id) ?? []
    open.push(...(id === 'commit' && !byId.has(id) ? beforeCommit : named))
  }
  return found
}

/** Whether a step is there that gives outputs: `inner` leads into the plans that steps use. */
function hasStep(step: StepSeen | undefined, inner: readonly string[], plans: Readonly<Record<string, unknown>>): boolean {
  if (step === undefined) return false
  const [next, ...rest] = inner
  const used = step.value.plan
  if (next === undefined) return typeof used !== 'string'
  const plan = typeof used === 'string' && Object.hasOwn(plans, used) ? plans[used] : undefined
  if (!isPlainMap(plan) || !Array.isArray(plan.steps)) return false
  return hasStep(
    plan.steps.flatMap((each: unknown) => seen(each, [])).find(({ id }) => id === next),
    rest,
    plans,
  )
}

function referenceOffset(path: Path, id: string, source: CatalogSource): number {
  const written = source.written(path)
  return written === undefined ? source.valueOffset(path) : written.offset + Math.max(0, written.text.indexOf(`\${steps.${id}`))
}

function outputReferences(value: unknown, path: Path): { readonly id: string; readonly path: Path }[] {
  if (typeof value === 'string') return [...value.matchAll(/\$\{steps\.([A-Za-z0-9_/-]+)/g)].map(([, id = '']) => ({ id, path }))
  if (Array.isArray(value)) return value.flatMap((item: unknown, index) => outputReferences(item, [...path, index]))
  return isPlainMap(value) ? Object.entries(value).flatMap(([key, member]) => outputReferences(member, [...path, key])) : []
}
