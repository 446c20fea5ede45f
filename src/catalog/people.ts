import { tryParseDuration } from '../kernel/index.ts'
import type { CatalogSource } from './catalog-source.ts'
import { waysOf, type ContactWay } from './contact.ts'
import { isPlainMap, type Finding } from './finding.ts'
import { valueAt } from './structure.ts'

/** Calls that cannot be made: by a way that the contact does not have, or not after the one before. */
export function escalationFindings(catalog: unknown, source: CatalogSource): Finding[] {
  const escalations = valueAt(catalog, ['escalations'])
  if (!isPlainMap(escalations)) return []
  return Object.entries(escalations).flatMap(([name, steps]) =>
    Array.isArray(steps)
      ? steps.flatMap((step: unknown, index) => {
          const path = ['escalations', name, index] as const
          return [...wayFindings(catalog, step, path, source), ...orderFindings(steps, index, path, source)]
        })
      : [],
  )
}

type StepPath = readonly ['escalations', string, number]

function wayFindings(catalog: unknown, step: unknown, path: StepPath, source: CatalogSource): Finding[] {
  const [call, by] = [valueAt(step, ['call']), valueAt(step, ['by'])]
  const contact = typeof call === 'string' ? valueAt(catalog, ['contacts', call]) : undefined
  if (typeof by !== 'string' || !isPlainMap(contact) || contact[by] !== undefined) return []
  const ways: ContactWay[] = waysOf(contact)
  return [
    {
      code: 'unknown-reference',
      offset: source.valueOffset([...path, 'by']),
      message: `${String(call)} is called by ${by}, and contacts.${String(call)} has none`,
      ...(ways.length === 0 ? {} : { expected: `one of ${ways.join(', ')}` }),
      hint: `write \`${by}: …\` in contacts.${String(call)}`,
    },
  ]
}

function orderFindings(steps: readonly unknown[], index: number, path: StepPath, source: CatalogSource): Finding[] {
  const written = valueAt(steps[index], ['after']) !== undefined
  if (index === 0) {
    const message = `the first call of escalations.${path[1]} is at once, and the others are so long after it`
    const hint = "take its 'after' out"
    return written ? [{ code: 'wrong-value', offset: source.valueOffset([...path, 'after']), message, hint }] : []
  }
  const [before, own] = [afterMs(steps[index - 1]), afterMs(steps[index])]
  if (before === undefined || own === undefined || own > before) return []
  return [
    {
      code: 'wrong-value',
      offset: written ? source.valueOffset([...path, 'after']) : source.keyOffset(path),
      message: `call ${index + 1} of escalations.${path[1]} is not after the one before it`,
      expected: 'each call later after the first than the one before',
      hint: written ? 'give it a longer time, or move it up' : 'write `after: 15m`',
    },
  ]
}

/** Undefined for what is not readable as a duration, and was reported as that. */
function afterMs(step: unknown): number | undefined {
  const after = valueAt(step, ['after'])
  if (after === undefined) return 0
  return typeof after === 'string' ? tryParseDuration(after) : undefined
}
