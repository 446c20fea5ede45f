import { isPlainMap, type Finding, type Path } from './finding.ts'
import { findCycles } from './graph.ts'
import { paramsIn } from './plan-params.ts'
import { valueAt } from './structure.ts'
import { suggest } from './suggest.ts'
import type { CatalogSource } from './catalog-source.ts'

/** Members of a step that say how an action is done: with `plan` they belong into that plan's own steps. */
const ofActions = ['check', 'undo', 'retry', 'timeout', 'disaster', 'onFailure', 'group']
/** Members of a plan that say how a run is decided: a plan that is a step of another has no say in that. */
const ofRuns = ['commit', 'fourEyes']

/**
 * What is wrong with plans that use each other, with their parameters and their groups. Works on whatever was written, so that one wrong
 * type does not hide the rest.
 */
export function subPlanFindings(catalog: unknown, source: CatalogSource): Finding[] {
  const plans = valueAt(catalog, ['plans'])
  if (!isPlainMap(plans)) return []
  const findings: Finding[] = []
  const add = (finding: Omit<Finding, 'offset'>, offset: number) => findings.push({ ...finding, offset })
  for (const [name, plan] of Object.entries(plans)) {
    for (const { step, path } of stepsOf(plan, name)) {
      for (const { finding, at, key } of [...stepProblems(step, plan, plans), ...paramProblems(step, plan)]) {
        add(finding, key === true ? source.keyOffset([...path, ...at]) : source.valueOffset([...path, ...at]))
      }
    }
  }
  const uses = new Map(Object.entries(plans).map(([name, plan]) => [name, usesOf(plan, name).map(({ used }) => used)]))
  for (const cycle of findCycles(uses)) {
    const closing = usesOf(plans[cycle.at(-2) ?? ''], cycle.at(-2) ?? '').find(({ used }) => used === cycle[0])
    add(
      {
        code: 'plan-cycle',
        message: `plans use each other: ${cycle.join(' → ')}`,
        expected: 'a plan that does not use itself, directly or through others',
        hint: 'take one of these steps out',
      },
      closing === undefined ? 0 : source.valueOffset(closing.path),
    )
  }
  return findings
}

interface Problem {
  readonly finding: Omit<Finding, 'offset'>
  readonly at: Path
  /** The place is the key's, not the value's. */
  readonly key?: boolean
}

function stepProblems(
  step: Readonly<Record<string, unknown>>,
  plan: unknown,
  plans: Readonly<Record<string, unknown>>,
): Problem[] {
  const problems: Problem[] = []
  const { plan: used, group, id } = step
  const reserved = [
    ['commit', 'commit'],
    ['four-eyes', 'fourEyes'],
  ].find(([word, member]) => id === word && valueAt(plan, [member ?? '']) !== undefined)
  if (reserved !== undefined) {
    const message = `the id '${reserved[0]}' stands for the plan's '${reserved[1]}'`
    problems.push({ at: ['id'], finding: { code: 'duplicate-id', message, hint: 'give the step another id' } })
  }
  const groups = valueAt(plan, ['groups'])
  if (typeof group === 'string' && !(isPlainMap(groups) && Object.hasOwn(groups, group))) {
    const message = `the plan has no group '${group}'`
    const hint = `write \`groups: { ${group}: { limit: 2 } }\` in the plan`
    problems.push({ at: ['group'], finding: { code: 'unknown-reference', message, hint } })
  }
  if (typeof used !== 'string') {
    if (step.with !== undefined) {
      const message = "'with' gives a plan its parameters, and this step uses none"
      problems.push({ at: ['with'], key: true, finding: { code: 'unknown-key', message, hint: "name it with 'plan'" } })
    }
    return problems
  }
  if (step.do !== undefined) {
    const message = "a step has one of 'do' and 'plan'"
    problems.push({ at: ['plan'], key: true, finding: { code: 'wrong-value', message, hint: 'make two steps of it' } })
  }
  for (const member of ofActions.filter((member) => step[member] !== undefined)) {
    const message = `'${member}' is of an action, and this step uses the plan ${used}`
    problems.push({
      at: [member],
      key: true,
      finding: { code: 'unknown-key', message, hint: `write it into the steps of ${used}` },
    })
  }
  for (const member of ofRuns.filter((member) => valueAt(plans, [used, member]) !== undefined)) {
    const message = `the plan ${used} has '${member}', which only the plan that is run can have`
    problems.push({
      at: ['plan'],
      finding: { code: 'wrong-value', message, hint: `take '${member}' out of ${used}, or run it by itself` },
    })
  }
  return [...problems, ...givenProblems(step.with, used, valueAt(plans, [used]))]
}

function givenProblems(given: unknown, used: string, plan: unknown): Problem[] {
  if (!isPlainMap(plan)) return []
  const params = isPlainMap(plan.params) ? plan.params : {}
  const values = isPlainMap(given) ? given : {}
  const unknown = Object.keys(values).filter((name) => !Object.hasOwn(params, name))
  const missing = Object.keys(params).filter(
    (name) => valueAt(params, [name, 'default']) === undefined && values[name] === undefined,
  )
  return [
    ...unknown.map((name): Problem => {
      const similar = suggest(name, Object.keys(params))
      return {
        at: ['with', name],
        key: true,
        finding: {
          code: 'unknown-key',
          message: `the plan ${used} has no parameter '${name}'`,
          expected: Object.keys(params).length === 0 ? 'nothing: it has none' : Object.keys(params).join(', '),
          ...(similar === undefined ? {} : { hint: `did you mean '${similar}'?` }),
        },
      }
    }),
    ...missing.map((name): Problem => {
      const message = `the plan ${used} needs its parameter '${name}', which has no default`
      return { at: ['plan'], finding: { code: 'missing', message, hint: `write \`with: { ${name}: … }\`` } }
    }),
  ]
}

/** `${params.NAME}` where the plan has no such parameter. */
function paramProblems(step: Readonly<Record<string, unknown>>, plan: unknown): Problem[] {
  const params = valueAt(plan, ['params'])
  const known = isPlainMap(params) ? Object.keys(params) : []
  return textsIn(step, []).flatMap(({ text, path }) =>
    paramsIn(text)
      .filter((name) => !known.includes(name))
      .map((name): Problem => {
        const message = `\${params.${name}} is used, and the plan has no parameter '${name}'`
        const hint = `write \`params: { ${name}: {} }\` in the plan`
        return { at: path, finding: { code: 'unknown-reference', message, hint } }
      }),
  )
}

function textsIn(value: unknown, path: Path): { readonly text: string; readonly path: Path }[] {
  if (typeof value === 'string') return [{ text: value, path }]
  if (Array.isArray(value)) return value.flatMap((item: unknown, index) => textsIn(item, [...path, index]))
  return isPlainMap(value) ? Object.entries(value).flatMap(([key, member]) => textsIn(member, [...path, key])) : []
}

function stepsOf(plan: unknown, name: string): { readonly step: Readonly<Record<string, unknown>>; readonly path: Path }[] {
  const steps = valueAt(plan, ['steps'])
  if (!Array.isArray(steps)) return []
  return steps.flatMap((step: unknown, index) => (isPlainMap(step) ? [{ step, path: ['plans', name, 'steps', index] }] : []))
}

function usesOf(plan: unknown, name: string): { readonly used: string; readonly path: Path }[] {
  return stepsOf(plan, name).flatMap(({ step, path }) =>
    typeof step.plan === 'string' ? [{ used: step.plan, path: [...path, 'plan'] }] : [],
  )
}
