import { Document, isScalar, visit } from 'yaml'
import type { SchemaNode } from '../src/catalog/json-schema.ts'

/**
 * What may stand in a map, as a Markdown list with the members of its maps below them. `within` says what is shown below a member, where that
 * is not all there is.
 */
export function members(
  node: SchemaNode,
  within: (name: string, member: SchemaNode) => SchemaNode | undefined = inside,
  depth = 0,
): string {
  return Object.entries(node.properties ?? {})
    .map(([name, member]) => {
      const facts = [
        typeOf(member),
        ...(node.required?.includes(name) === true ? ['required'] : []),
        ...(member.default === undefined || isEmpty(member.default) ? [] : [`default \`${shown(member.default)}\``]),
      ]
      const line = `${'  '.repeat(depth)}- \`${name}\` (${facts.join(', ')})${member.description === undefined ? '' : `: ${member.description}`}`
      const inner = within(name, member)
      const below = inner === undefined ? '' : members(inner, within, depth + 1)
      return below === '' ? line : `${line}\n${below}`
    })
    .join('\n')
}

/** The map that a member is, or that its entries are; secrets are explained in the guide. */
export function inside(_name: string, node: SchemaNode): SchemaNode | undefined {
  if (node.secret === true) return undefined
  if (node.properties !== undefined) return node
  if (node.items?.properties !== undefined) return node.items
  return node.anyOf?.find((option) => option.properties !== undefined && option.secret !== true)
}

function typeOf(node: SchemaNode): string {
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

/** The first row is the heading. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [heading = [], ...body] = rows
  const widths = heading.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [line(heading), rule, ...body.map(line)].join('\n')
}

/** As people write it: a command on one line. */
export function yamlExample(value: unknown): string {
  const document = new Document(value)
  visit(document, {
    Seq: (_key, list) => {
      list.flow = list.items.every((item) => isScalar(item))
    },
  })
  const text = document.toString({ lineWidth: 120, flowCollectionPadding: false, singleQuote: true }).trimEnd()
  return `\`\`\`yaml\n${text}\n\`\`\``
}

/** Of a heading, as Markdown viewers make it. */
export function anchor(heading: string): string {
  return heading.replaceAll('.', '')
}
