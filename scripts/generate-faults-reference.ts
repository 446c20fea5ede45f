import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describedSchema, type SchemaNode } from '../src/catalog/json-schema.ts'
import { faults, type AnyFault } from '../src/faults/index.ts'
import { anchor, inside, markdownTable, members, yamlExample } from './reference-text.ts'

/** The guide that people write, and below it the reference that this script writes. */
export const faultsFile = fileURLToPath(new URL('../docs/faults.md', import.meta.url))

const begin = '<!-- Everything below is made from the faults themselves: node scripts/generate-faults-reference.ts -->'

/** The file as it should be: its guide as it is, its reference from the faults. */
export function faultsText(current: string): string {
  const guide = current.split(begin)[0] ?? ''
  return `${guide.trimEnd()}\n\n${begin}\n\n${[overview(), ...faults.map(section)].join('\n\n')}\n`
}

function overview(): string {
  const rows = faults.map((fault) => [`[${fault.kind}](#${anchor(fault.kind)})`, undo(fault), expiry(fault)])
  return markdownTable([['fault', 'taken back', 'ends without Holdfast'], ...rows])
}

function section(fault: AnyFault): string {
  return [
    `## ${fault.kind}`,
    `Taken back: ${undo(fault)}. Ends without Holdfast: ${expiry(fault)}.`,
    fault.description,
    members(describedSchema(fault.params), allOptions) || 'No parameters.',
    yamlExample({ [fault.kind]: fault.example }),
  ].join('\n\n')
}

/** Where one of several maps may stand, the members of all. */
function allOptions(name: string, node: SchemaNode): SchemaNode | undefined {
  const maps = node.secret === true ? [] : (node.anyOf ?? []).filter(({ properties }) => properties !== undefined)
  if (maps.length < 2) return inside(name, node)
  return { properties: Object.assign({}, ...maps.map(({ properties }) => properties)) as NonNullable<SchemaNode['properties']> }
}

function undo({ irreversible }: AnyFault): string {
  return irreversible ? 'no: irreversible' : 'yes'
}

function expiry({ irreversible, expiry }: AnyFault): string {
  if (irreversible && expiry === 'never') return 'has no end'
  return { 'by-itself': 'at its deadline', 'with-holder': 'with the experiment', never: 'never' }[expiry]
}

if (import.meta.main) writeFileSync(faultsFile, faultsText(readFileSync(faultsFile, 'utf8')))
