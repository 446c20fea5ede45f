import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { catalogJsonSchema, catalogPartJsonSchema } from '../src/catalog/index.ts'
import { actionParams, faultParams } from '../src/service/index.ts'

/** Where the published JSON Schema of holdfast.yaml is. */
export const schemaFile = fileURLToPath(new URL('../schema/holdfast.schema.json', import.meta.url))

/** The file's content, made from the schemas that the program checks with. */
export function schemaText(): string {
  return `${JSON.stringify(catalogJsonSchema(actionParams, faultParams), undefined, 2)}\n`
}

/** Where that of a file is that a catalog includes. */
export const partSchemaFile = fileURLToPath(new URL('../schema/holdfast-part.schema.json', import.meta.url))

export function partSchemaText(): string {
  return `${JSON.stringify(catalogPartJsonSchema('holdfast.schema.json'), undefined, 2)}\n`
}

if (import.meta.main) {
  mkdirSync(new URL('../schema/', import.meta.url), { recursive: true })
  writeFileSync(schemaFile, schemaText())
  writeFileSync(partSchemaFile, partSchemaText())
}
