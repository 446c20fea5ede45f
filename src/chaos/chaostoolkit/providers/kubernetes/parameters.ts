import { z } from 'zod'

/** The types of arguments that functions of the package have in common. */
export const text = z.string('must be a text')
export const optionalText = text.nullable().default(null)
export const flag = z.boolean('must be true or false')
export const wholeNumber = z.int('must be a whole number')
export const object = z.record(z.string(), z.json(), 'must be an object')

/** Seconds; the package also takes a text of a number. */
export const seconds = z
  .union([z.number(), text.regex(/^\s*\d+\s*$/).transform(Number)], 'must be a number of seconds')
  .default(30)

/** A namespace. */
export const ns = text.default('default')

/** `app=web,tier in (a, b)`. Empty or null: whatever there is. */
export const selector = text.nullable()
export const optionalSelector = selector.default(null)

/** A selector in which `{name}` stands for the argument `name`. */
export const namedSelector = text.default('name in ({name})')

export function withName(template: string, name: string | null): string {
  return template.replaceAll('{name}', name ?? 'None')
}
