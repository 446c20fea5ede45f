import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { actionsFile, actionsText } from './generate-actions-reference.ts'
import { lintsFile, lintsText } from './generate-lints.ts'
import { faultsFile, faultsText } from './generate-faults-reference.ts'
import { referenceFile, referenceText } from './generate-catalog-reference.ts'
import { partSchemaFile, partSchemaText, schemaFile, schemaText } from './generate-schema.ts'
import { actions } from '../src/actions/index.ts'
import { faults } from '../src/faults/index.ts'
import { describedSchema } from '../src/catalog/json-schema.ts'
import { starterText } from '../src/catalog/index.ts'

test('the committed JSON Schema is that of the program: if not, run node scripts/generate-schema.ts', () => {
  expect(readFileSync(schemaFile, 'utf8')).toBe(schemaText())
  expect(readFileSync(partSchemaFile, 'utf8')).toBe(partSchemaText())
})

test('the committed reference is that of the program: if not, run node scripts/generate-catalog-reference.ts', () => {
  const current = readFileSync(referenceFile, 'utf8')
  expect(current).toBe(referenceText(current))
})

test('the committed page on actions is that of the program: if not, run node scripts/generate-actions-reference.ts', () => {
  const current = readFileSync(actionsFile, 'utf8')
  expect(current).toBe(actionsText(current))
})

test('the committed page on lints is that of the program: if not, run node scripts/generate-lints.ts', () => {
  const current = readFileSync(lintsFile, 'utf8')
  expect(current).toBe(lintsText(current))
})

test('every action has an example that fits, a paragraph about it, and each of its parameters explained', () => {
  expect(actions.length).toBeGreaterThan(10)
  for (const action of actions) {
    expect(() => action.bind(action.example)).not.toThrow()
    expect(action.bind(action.example).manual().length, action.kind).toBeGreaterThan(0)
    expect(action.description).toMatch(/^[A-Z][^\n]{20,}\.$/)
    expect(unexplainedMembers(describedSchema(action.params), action.kind)).toEqual([])
  }
})

test('the committed page on faults is that of the program: if not, run node scripts/generate-faults-reference.ts', () => {
  const current = readFileSync(faultsFile, 'utf8')
  expect(current).toBe(faultsText(current))
})

test('every fault has an example that fits, a paragraph about it, and each of its parameters explained', () => {
  expect(faults.length).toBeGreaterThan(10)
  expect(new Set(faults.map(({ kind }) => kind)).size).toBe(faults.length)
  for (const fault of faults) {
    expect(() => fault.bind(fault.example)).not.toThrow()
    expect(fault.description).toMatch(/^[A-Z][^\n]{20,}\.$/)
    expect(unexplainedMembers(describedSchema(fault.params), fault.kind)).toEqual([])
  }
})

test('every member that the schema knows is explained', () => {
  // The parameters of actions are explained by the actions.
  const { $defs, ...catalog } = JSON.parse(schemaText()) as Record<string, unknown>
  expect($defs).toBeDefined()
  expect(unexplainedMembers(catalog, '').filter((path) => !/\.(?:do|inject|check|undo)\./.test(path))).toEqual([])
})

test('an editor with the published schema accepts the examples and the starter, and refuses a slip', () => {
  const schema = z.fromJSONSchema(JSON.parse(readFileSync(schemaFile, 'utf8')) as Parameters<typeof z.fromJSONSchema>[0])
  const example = (name: string) => readFileSync(new URL(`../examples/${name}/holdfast.yaml`, import.meta.url), 'utf8')
  for (const text of [example('postgres'), example('files'), starterText(undefined)]) {
    expect(schema.safeParse(parse(text)).error).toBeUndefined()
    expect(schema.safeParse(parse(text.replace('{ rpo: ', '{ rop: '))).success).toBe(false)
    expect(schema.safeParse(parse(text.replace(/rto: \d+/, 'rto: x'))).success).toBe(false)
    expect(schema.safeParse(parse(text.replace('do: { ', 'do: { no'))).success).toBe(false)
  }
})

function unexplainedMembers(schema: unknown, name: string): string[] {
  const unexplained: string[] = []
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return
    const {
      properties = {},
      items,
      additionalProperties,
      anyOf = [],
    } = node as Record<string, Record<string, unknown>> & { anyOf?: unknown[] }
    for (const [name, member] of Object.entries(properties)) {
      if (!/ "description":/.test(` ${JSON.stringify(member, undefined, 1)}`)) unexplained.push(`${path}.${name}`)
      visit(member, `${path}.${name}`)
    }
    for (const inner of [items, additionalProperties, ...anyOf]) visit(inner, path)
  }
  visit(schema, name)
  return unexplained
}
