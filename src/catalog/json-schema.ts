import { z } from 'zod'
import { fieldMetaKeys, type FieldMeta } from './fields.ts'
import { ofWholeCatalog } from './include.ts'
import type { KnownParams } from './schema-call.ts'
import { catalogSchema } from './schema.ts'

/** A JSON Schema, with the metadata of fields.ts. */
export interface SchemaNode extends FieldMeta {
  readonly type?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly additionalProperties?: SchemaNode | false
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly examples?: readonly unknown[]
  readonly default?: unknown
  readonly uniqueItems?: boolean
  readonly [keyword: string]: unknown
}

/** The schema that the checks walk: with metadata. */
export function describedSchema(schema: z.ZodType): SchemaNode {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as SchemaNode
}

/**
 * JSON Schema (draft 2020-12) of holdfast.yaml, for editors. With `actionParams` it knows every action and its parameters; without, any
 * action with any parameters is accepted. So with `faultParams` for faults.
 */
export function catalogJsonSchema(actionParams?: KnownParams, faultParams?: KnownParams): Readonly<Record<string, unknown>> {
  const { $schema, title, description, ...rest } = published(
    describedSchema(catalogSchema(actionParams, faultParams)),
  ) as SchemaNode
  const definitions = { ...actionDefinitions(rest, actionParams), ...faultDefinitions(rest, faultParams) }
  const extensions = { '^x-': { description: 'Ignored: a place for YAML anchors.' } }
  return {
    $schema,
    title,
    description,
    ...rest,
    patternProperties: extensions,
    ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions }),
  }
}

/** JSON Schema of a file that a catalog includes, for editors: the same sections, none of them required. It refers to the one of the catalog, beside it. */
export function catalogPartJsonSchema(catalogFile: string): Readonly<Record<string, unknown>> {
  const { properties = {} } = describedSchema(catalogSchema())
  const sections = Object.keys(properties).filter((name) => !ofWholeCatalog.has(name))
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Part of a Holdfast catalog',
    description: 'A file that `include` of holdfast.yaml names.',
    type: 'object',
    properties: Object.fromEntries(sections.map((name) => [name, { $ref: `${catalogFile}#/properties/${name}` }])),
    patternProperties: { '^x-': { description: 'Ignored: a place for YAML anchors.' } },
    additionalProperties: false,
  }
}

function actionDefinitions(catalog: SchemaNode, params: KnownParams = {}): Record<string, SchemaNode> {
  const ofStep = [['do'], ['check'], ['undo'], ['disaster', 'do'], ['disaster', 'check'], ['disaster', 'undo']]
  const inStep = ofStep.map((member) => ['plans', 'any', 'steps', 0, ...member])
  const inDrill = ['do', 'check'].map((member) => ['plans', 'any', 'drill', 'substitute', 'any', member])
  return definitionsAt(catalog, [...inStep, ...inDrill], Object.keys(params), (kind) => kind)
}

/** Some faults are called as actions are. */
function faultDefinitions(catalog: SchemaNode, params: KnownParams = {}): Record<string, SchemaNode> {
  const place = ['experiments', 'any', 'faults', 0, 'inject']
  return definitionsAt(catalog, [place], Object.keys(params), (kind) => `fault.${kind}`)
}

/** Takes the parameters of these kinds out of the places where they may stand, and leaves references there. */
function definitionsAt(
  catalog: SchemaNode,
  places: readonly (readonly (string | number)[])[],
  kinds: readonly string[],
  nameOf: (kind: string) => string,
): Record<string, SchemaNode> {
  const definitions: Record<string, SchemaNode> = {}
  if (kinds.length === 0) return definitions
  for (const call of places.flatMap((place) => schemasAt(catalog, place))) {
    const properties = call.properties as Record<string, SchemaNode>
    for (const kind of kinds) {
      definitions[nameOf(kind)] ??= properties[kind] ?? {}
      properties[kind] = { $ref: `#/$defs/${nameOf(kind)}` }
    }
  }
  return definitions
}

/** Without our metadata, wherever a schema stands (and nowhere else: a property may be called `reference`). */
function published(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(published)
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(
    Object.entries(node)
      // Every whole number has bounds where it stops being exact; they would only be noise.
      .filter(
        ([key, value]) => !fieldMetaKeys.includes(key) && value !== Number.MAX_SAFE_INTEGER && value !== Number.MIN_SAFE_INTEGER,
      )
      .map(([key, value]) => {
        if (key === 'properties' && typeof value === 'object' && value !== null)
          return [key, Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, published(schema)]))]
        const holdsSchemas = key === 'items' || key === 'additionalProperties' || key === 'propertyNames' || key.endsWith('Of')
        return [key, holdsSchemas ? published(value) : value]
      }),
  )
}

/** The schemas that apply at a path; several below an anyOf. */
export function schemasAt(root: SchemaNode, path: readonly (string | number)[]): SchemaNode[] {
  let nodes = [root]
  for (const part of path) {
    nodes = nodes.flatMap(alternatives).flatMap((node) => {
      if (typeof part === 'number') return node.items ? [node.items] : []
      const property = node.properties && Object.hasOwn(node.properties, part) ? node.properties[part] : undefined
      if (property) return [property]
      return node.additionalProperties ? [node.additionalProperties] : []
    })
  }
  return nodes
}

/** The node itself, and what it may be instead. */
export function alternatives(node: SchemaNode): SchemaNode[] {
  return [node, ...(node.anyOf ?? []).flatMap(alternatives)]
}

/** What belongs at a node, in words. */
export function expectation(nodes: readonly SchemaNode[]): string | undefined {
  const said = nodes.find(({ expected }) => expected !== undefined)?.expected
  if (said !== undefined) return said
  const words = new Set(nodes.flatMap(alternatives).flatMap(typeInWords))
  return words.size === 0 ? undefined : [...words].join(' or ')
}

function typeInWords(node: SchemaNode): string[] {
  if (node.expected !== undefined) return [node.expected]
  if (node.enum !== undefined) return [oneOf(node.enum)]
  if (node.const !== undefined) return [oneOf([node.const])]
  switch (node.type) {
    case 'string':
      return ['text']
    case 'integer':
      return ['a whole number']
    case 'number':
      return ['a number']
    case 'boolean':
      return ['true or false']
    case 'array':
      return [node.items?.expected === undefined ? 'a list' : `a list, each entry ${node.items.expected}`]
    case 'object':
      return [node.properties === undefined ? 'a map' : `a map with ${keyList(Object.keys(node.properties))}`]
    default:
      return []
  }
}

export function oneOf(values: readonly unknown[]): string {
  return values.length === 1 ? String(values[0]) : `one of ${values.map(String).join(', ')}`
}

export function keyList(keys: readonly string[]): string {
  const shown = keys.slice(0, 12).join(', ')
  return keys.length > 12 ? `${shown}, …` : shown
}
