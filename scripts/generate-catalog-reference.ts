import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describedSchema, type SchemaNode } from '../src/catalog/json-schema.ts'
import { catalogSchema } from '../src/catalog/schema.ts'
import { actionParams, faultParams } from '../src/service/index.ts'
import { inside, members } from './reference-text.ts'

/** The guide that people write, and below it the reference that this script writes. */
export const referenceFile = fileURLToPath(new URL('../docs/catalog.md', import.meta.url))

const begin = '<!-- Everything below is made from the schema: node scripts/generate-catalog-reference.ts -->'

/** The file as it should be: its guide as it is, its reference from the schema. */
export function referenceText(current: string): string {
  const guide = current.split(begin)[0] ?? ''
  const schema = describedSchema(catalogSchema(actionParams, faultParams))
  const sections = Object.entries(schema.properties ?? {}).map(([name, node]) =>
    section(name, node, schema.required?.includes(name) === true),
  )
  return `${guide}${begin}\n\n${[...sections, '## Actions', 'What a step can do: the key under `do`, `check` or `undo`. [actions.md](actions.md) has all of them with their parameters.'].join('\n\n')}\n`
}

function section(name: string, node: SchemaNode, required: boolean): string {
  const entry = typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined
  const about = `${node.description ?? ''} ${required ? 'Required.' : 'Optional.'}`
  const each = entry?.description === undefined ? [] : [`Each entry: ${entry.description}`]
  const body = entry === undefined ? '' : members(entry, insideOfCatalog)
  return [`## ${name}`, about, ...each, ...(body === '' ? [] : [body])].join('\n\n')
}

/** Below `do`, `check` and `undo` stand the actions, and below `inject` the faults: they have pages of their own. */
function insideOfCatalog(name: string, member: SchemaNode): SchemaNode | undefined {
  return name === 'do' || name === 'check' || name === 'undo' || name === 'inject' ? withoutCalls(member) : inside(name, member)
}

function withoutCalls(node: SchemaNode): SchemaNode {
  return {
    ...node,
    properties: Object.fromEntries(
      Object.entries(node.properties ?? {}).filter(
        ([name]) => !Object.hasOwn(actionParams, name) && !Object.hasOwn(faultParams, name),
      ),
    ),
  }
}

if (import.meta.main) writeFileSync(referenceFile, referenceText(readFileSync(referenceFile, 'utf8')))
