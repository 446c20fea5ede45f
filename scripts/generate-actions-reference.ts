import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Document, isScalar, visit } from 'yaml'
import { actions, type AnyAction } from '../src/actions/index.ts'
import { describedSchema } from '../src/catalog/json-schema.ts'
import { members } from './reference-text.ts'

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
  const table = [['action', 'effect', 'undo'], ...rows]
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [line(table[0] ?? []), rule, ...rows.map(line)].join('\n')
}

function section(action: AnyAction): string {
  return [
    `## ${action.kind}`,
    `Effect: ${effect(action)}. Undo: ${undo(action)}.`,
    action.description,
    members(describedSchema(action.params)) || 'No parameters.',
    `\`\`\`yaml\n${example(action)}\n\`\`\``,
  ].join('\n\n')
}

/** As people write it: a command on one line. */
function example({ kind, example: params }: AnyAction): string {
  const document = new Document({ do: { [kind]: params } })
  visit(document, {
    Seq: (_key, list) => {
      list.flow = list.items.every((item) => isScalar(item))
    },
  })
  return document.toString({ lineWidth: 120, flowCollectionPadding: false, singleQuote: true }).trimEnd()
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

/** Of a heading, as Markdown viewers make it. */
function anchor(kind: string): string {
  return kind.replaceAll('.', '')
}

if (import.meta.main) writeFileSync(actionsFile, actionsText(readFileSync(actionsFile, 'utf8')))
