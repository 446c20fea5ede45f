import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { actions, type AnyAction } from '../src/actions/index.ts'
import { describedSchema } from '../src/catalog/json-schema.ts'
import { anchor, markdownTable, members, yamlExample } from './reference-text.ts'

/** The guide that people write, and below it the reference that this script writes. */
export const actionsFile = fileURLToPath(new URL('../docs/actions.md', import.meta.url))

const begin = '<!-- Everything below is made from the actions themselves: node scripts/generate-actions-reference.ts -->'

/** Where no single parameter decides: the description says which do, and how. */
const depends = 'depends on its parameters'

/** The file as it should be: its guide as it is, its reference from the actions. */
export function actionsText(current: string): string {
  const guide = current.split(begin)[0] ?? ''
  return `${guide.trimEnd()}\n\n${begin}\n\n${[overview(), ...actions.map(section)].join('\n\n')}\n`
}

function overview(): string {
  const rows = actions.map((action) => [`[${action.kind}](#${anchor(action.kind)})`, effect(action), undo(action)])
  return markdownTable([['action', 'effect', 'undo'], ...rows])
}

function section(action: AnyAction): string {
  return [
    `## ${action.kind}`,
    `Effect: ${effect(action)}. Undo: ${undo(action)}.`,
    action.description,
    members(describedSchema(action.params)) || 'No parameters.',
    yamlExample({ do: { [action.kind]: action.example } }),
  ].join('\n\n')
}

function effect(action: AnyAction): string {
  if (action.effect !== 'as-said') return action.effect
  const parameter = describedSchema(action.params).properties?.effect
  return parameter === undefined ? depends : `as \`effect\` says, else ${String(parameter.default)}`
}

function undo({ canUndo, params }: AnyAction): string {
  if (canUndo !== 'as-said') return canUndo === 'always' ? 'yes' : 'no'
  return describedSchema(params).properties?.undo === undefined ? depends : 'when `undo` is given'
}

if (import.meta.main) writeFileSync(actionsFile, actionsText(readFileSync(actionsFile, 'utf8')))
