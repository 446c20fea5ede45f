import type { Reference } from './fields.ts'
import { alternatives, type SchemaNode } from './json-schema.ts'
import { valueAt } from './structure.ts'
import { suggest } from './suggest.ts'
import { isPlainMap, pathText, type Finding, type Path } from './finding.ts'
import type { CatalogSource } from './catalog-source.ts'

const sections: Readonly<Record<Exclude<Reference, 'step'>, readonly string[]>> = {
  site: ['sites'],
  repository: ['repositories'],
  cluster: ['clusters'],
  service: ['services'],
  dependency: ['services', 'external'],
  observer: ['observers'],
  plan: ['plans'],
  contact: ['contacts'],
  escalation: ['escalations'],
}

/**
 * Names that stand for nothing, and lists that name something twice. Works on whatever was written, so that one wrong type does not hide
 * the rest.
 */
export function referenceFindings(described: SchemaNode, value: unknown, source: CatalogSource): Finding[] {
  const findings: Finding[] = []
  const names = new Map<string, ReadonlySet<string>>()
  walk(described, value, [], (nodes, at, path) => {
    const reference = nodes.find((node) => node.reference !== undefined)?.reference
    if (reference !== undefined && typeof at === 'string' && !at.includes('${')) {
      const scope = reference === 'step' ? `steps of ${path[1]}` : reference
      const known = names.getOrInsertComputed(scope, () => knownNames(value, reference, path))
      if (!known.has(at)) findings.push(unknownName(reference, at, [...known], path, source))
    }
    if (Array.isArray(at) && nodes.some(({ uniqueItems }) => uniqueItems === true)) findings.push(...repeats(at, path, source))
  })
  return findings
}

/** Every value with the schemas that apply to it. */
function walk(
  node: SchemaNode,
  value: unknown,
  path: Path,
  visit: (nodes: readonly SchemaNode[], value: unknown, path: Path) => void,
): void {
  const nodes = alternatives(node)
  visit(nodes, value, path)
  if (Array.isArray(value)) {
    const items = nodes.find((candidate) => candidate.items !== undefined)?.items
    if (items !== undefined) for (const [index, item] of value.entries()) walk(items, item, [...path, index], visit)
  } else if (isPlainMap(value)) {
    for (const [key, member] of Object.entries(value)) {
      const child = nodes
        .map(({ properties, additionalProperties }) =>
          properties && Object.hasOwn(properties, key) ? properties[key] : additionalProperties,
        )
        .find((candidate) => candidate !== undefined && candidate !== false)
      if (child) walk(child, member, [...path, key], visit)
    }
  }
}

function knownNames(catalog: unknown, reference: Reference, path: Path): Set<string> {
  if (reference !== 'step') {
    const known = sections[reference].map((section) => valueAt(catalog, [section]))
    return new Set(known.flatMap((section) => (isPlainMap(section) ? Object.keys(section) : [])))
  }
  const steps = valueAt(catalog, path.slice(0, 3))
  if (!Array.isArray(steps)) return new Set()
  const ids = steps.flatMap((step: unknown) => (isPlainMap(step) && typeof step.id === 'string' ? [step.id] : []))
  return new Set(valueAt(catalog, [...path.slice(0, 2), 'commit']) === undefined ? ids : [...ids, 'commit'])
}

function unknownName(reference: Reference, name: string, known: readonly string[], path: Path, source: CatalogSource): Finding {
  const similar = suggest(name, known)
  const where =
    reference === 'step' ? 'in this plan' : `under ${sections[reference].map((section) => `'${section}'`).join(' or ')}`
  return {
    code: 'unknown-reference',
    offset: source.valueOffset(path),
    message: `${pathText(path)} names the ${reference} '${name}', which does not exist`,
    expected:
      known.length === 0
        ? `a ${reference}; there is none ${where}`
        : `a ${reference} ${where}: ${known.slice(0, 12).join(', ')}${known.length > 12 ? ', …' : ''}`,
    hint: similar === undefined ? `write '${name}' ${where}, or name another one` : `did you mean '${similar}'?`,
  }
}

function repeats(list: readonly unknown[], path: Path, source: CatalogSource): Finding[] {
  return list.flatMap((item, index) =>
    typeof item === 'string' && list.indexOf(item) < index
      ? [
          {
            code: 'duplicate-entry' as const,
            offset: source.valueOffset([...path, index]),
            message: `${pathText(path)} names '${item}' twice`,
            hint: 'remove one of the two',
          },
        ]
      : [],
  )
}
