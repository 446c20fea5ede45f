import { isPlainMap, type Finding, type Path } from './finding.ts'
import { suggest } from './suggest.ts'
import type { CatalogSource } from './catalog-source.ts'

/** Steps that a drill names and that its plan, with the plans that it uses, does not have. */
export function drillFindings(catalog: unknown, source: CatalogSource): Finding[] {
  if (!isPlainMap(catalog) || !isPlainMap(catalog.plans)) return []
  const { plans } = catalog
  return Object.entries(plans).flatMap(([plan, entry]) => {
    if (!isPlainMap(entry) || !isPlainMap(entry.drill)) return []
    const { substitute, allow } = entry.drill
    const known = stepIds(plans, plan, '', [])
    const at = ['plans', plan, 'drill']
    const substituted = Object.keys(isPlainMap(substitute) ? substitute : {}).map((id) => ({
      id,
      offset: source.keyOffset([...at, 'substitute', id]),
    }))
    const allowed = isPlainMap(allow) && Array.isArray(allow.steps) ? allow.steps : []
    const named = allowed.flatMap((id: unknown, index) => {
      const path: Path = [...at, 'allow', 'steps', index]
      return typeof id === 'string' ? [{ id, offset: source.valueOffset(path) }] : []
    })
    return [...substituted, ...named]
      .filter(({ id }) => !known.includes(id))
      .map(({ id, offset }) => finding(plan, id, offset, known))
  })
}

/** The steps of a plan by their full names, `ID/STEP` for those of plans that it uses. */
function stepIds(plans: Readonly<Record<string, unknown>>, name: string, prefix: string, trail: readonly string[]): string[] {
  const plan = Object.hasOwn(plans, name) ? plans[name] : undefined
  if (!isPlainMap(plan) || !Array.isArray(plan.steps) || trail.includes(name)) return []
  const own = plan.steps.flatMap((step: unknown) => {
    if (!isPlainMap(step) || typeof step.id !== 'string') return []
    if (typeof step.plan !== 'string') return [prefix + step.id]
    return stepIds(plans, step.plan, `${prefix}${step.id}/`, [...trail, name])
  })
  const ofRun = [...(plan.commit === undefined ? [] : ['commit']), ...(plan.fourEyes === true ? ['four-eyes'] : [])]
  return prefix === '' ? [...own, ...ofRun] : own
}

function finding(plan: string, id: string, offset: number, known: readonly string[]): Finding {
  const similar = suggest(id, known)
  return {
    code: 'unknown-reference',
    offset,
    message: `the drill of the plan ${plan} names the step '${id}', which does not exist`,
    expected: `one of ${known.join(', ')}`,
    ...(similar === undefined ? {} : { hint: `did you mean '${similar}'?` }),
  }
}
