import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describedSchema, schemasAt, type SchemaNode } from '../src/catalog/json-schema.ts'
import { catalogSchema } from '../src/catalog/schema.ts'
import { actionParams } from '../src/service/index.ts'

/** The guide that people write, and below it the reference that this script writes. */
export const referenceFile = fileURLToPath(new URL('../docs/catalog.md', import.meta.url))

const begin = '<!-- Everything below is made from the schema: node scripts/generate-catalog-reference.ts -->'

type Node = SchemaNode

/** The file as it should be: its guide as it is, its reference from the schema. */
export function referenceText(current: string): string {
  const guide = current.split(begin)[0] ?? ''
  const schema = describedSchema(catalogSchema(actionParams))
  const sections = Object.entries(schema.properties ?? {}).map(([name, node]) =>
    section(name, node, schema.required?.includes(name) === true),
  )
  const actions = Object.entries(actionsOf(schema)).map(
    ([kind, node]) => `### ${kind}\n\n${[...aside(node), members(node, 0) || 'No parameters.'].join('\n\n')}`,
  )
  return `${guide}${begin}\n\n${[...sections, '## Actions', 'What a step can do: the key under `do`, `check` or `undo`, with these parameters.', ...actions].join('\n\n')}\n`
}

function section(name: string, node: Node, required: boolean): string {
  const entry = typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined
  const about = `${node.description ?? ''} ${required ? 'Required.' : 'Optional.'}`
  const each = entry?.description === undefined ? [] : [`Each entry: ${entry.description}`]
  const body = entry === undefined ? '' : members(entry, 0)
  return [`## ${name}`, about, ...each, ...(body === '' ? [] : [body])].join('\n\n')
}

function members(node: Node, depth: number): string {
  return Object.entries(node.properties ?? {})
    .map(([name, member]) => {
      const facts = [
        typeOf(member),
        ...(node.required?.includes(name) === true ? ['required'] : []),
        ...(member.default === undefined || isEmpty(member.default) ? [] : [`default \`${shown(member.default)}\``]),
      ]
      const line = `${'  '.repeat(depth)}- \`${name}\` (${facts.join(', ')})${member.description === undefined ? '' : `: ${member.description}`}`
      const inner = name === 'do' || name === 'check' || name === 'undo' ? withoutActions(member) : insides(member)
      const below = inner === undefined ? '' : members(inner, depth + 1)
      return below === '' ? line : `${line}\n${below}`
    })
    .join('\n')
}

/** The parameters of each action, from the place where a step names one. */
function actionsOf(schema: Node): Readonly<Record<string, Node>> {
  const [call] = schemasAt(schema, ['plans', 'any', 'steps', 0, 'do'])
  return call?.properties ?? {}
}

function aside({ description }: Node): string[] {
  return description === undefined ? [] : [description]
}

/** The map that a member is, or that its entries are; secrets are explained in the guide. */
function insides(node: Node): Node | undefined {
  if (node.secret === true) return undefined
  if (node.properties !== undefined) return node
  if (node.items?.properties !== undefined) return node.items
  return node.anyOf?.find((option) => option.properties !== undefined && option.secret !== true)
}

function withoutActions(node: Node): Node {
  return {
    ...node,
    properties: Object.fromEntries(Object.entries(node.properties ?? {}).filter(([name]) => !Object.hasOwn(actionParams, name))),
  }
}

function typeOf(node: Node): string {
  if (node.secret === true) return 'secret'
  if (node.unit !== undefined) return node.unit
  if (node.reference !== undefined) return `${node.reference} name`
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map(typeOf))].join(' or ')
  if (node.enum !== undefined) return node.enum.map((value) => `\`${shown(value)}\``).join(' or ')
  if (node.const !== undefined) return `\`${shown(node.const)}\``
  if (node.type === 'array') return `list of ${node.items === undefined ? 'anything' : typeOf(node.items)}`
  const words: Readonly<Record<string, string>> = {
    string: 'text',
    integer: 'whole number',
    number: 'number',
    boolean: 'true or false',
    object: 'map',
  }
  return words[node.type ?? ''] ?? 'anything'
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

if (import.meta.main) writeFileSync(referenceFile, referenceText(readFileSync(referenceFile, 'utf8')))
