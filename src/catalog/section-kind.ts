import { z } from 'zod'
import { catalogSchema } from './schema.ts'

let sections: Readonly<Record<string, z.core.$ZodType>> | undefined

/** Whether a section of a catalog holds entries by name, or a list of them; undefined for any other, and for one that there is not. */
export function sectionKind(section: string): 'entries' | 'list' | undefined {
  sections ??= catalogSchema().shape
  let schema = Object.hasOwn(sections, section) ? sections[section] : undefined
  while (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    schema = schema.def.innerType
  if (schema instanceof z.ZodRecord) return 'entries'
  return schema instanceof z.ZodArray ? 'list' : undefined
}
