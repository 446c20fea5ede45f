import { z } from 'zod'
import { isPathSegment } from '../../../../clusters/index.ts'

/** The types of arguments that functions of the package have in common. */
export const text = z.string('must be a text')
export const optionalText = text.nullable().default(null).transform(givenText)
export const flag = z.boolean('must be true or false')
export const wholeNumber = z.int('must be a whole number')
export const object = z.record(z.string(), z.json(), 'must be an object')

/** Seconds; the package also takes a text of a number. */
export const seconds = z
  .union([z.number(), text.regex(/^\s*\d+\s*$/).transform(Number)], 'must be a number of seconds')
  .default(30)

/** The name of an object, which must be there: without it, all of its kind would be meant. */
export const name = text.refine(isPathSegment, 'must be the name of an object')

/** None is whatever there is: the empty text, as of a variable without a value, is not taken for that. */
export const optionalName = name.nullable().default(null)

/**
 * What is ended, deleted, cut off, cordoned or drained: only an argument that is left out means all. Null and nothing do not, which a variable gives that has no
 * value; nor do spaces, by which the API server selects all.
 */
const orAll = <T extends z.ZodType>(is: (problem: string) => T, what: string) =>
  is(`must be ${what}, or left out for all`)
    .optional()
    .transform((given) => given ?? null)
export const chosenName = orAll((problem) => filledText(problem).refine(isPathSegment, problem), 'the name of an object')
export const chosenPattern = orAll(filledText, 'a pattern of names of pods')
export const chosenSelector = orAll(filledText, 'a selector of labels')
export const chosenCount = orAll(z.int, 'a whole number')
export const chosenLabels = orAll(
  (problem) => z.record(z.string(), z.json(), problem).refine((labels) => Object.keys(labels).length > 0, problem),
  'labels',
)

export const ns = text.refine(isPathSegment, 'must be the name of a namespace').default('default')

/** `app=web,tier in (a, b)`. Empty or null: whatever there is. */
export const selector = text.nullable().transform(givenText)
export const optionalSelector = selector.prefault(null)

/** A selector in which `{name}` stands for the argument `name`. */
export const namedSelector = text.default('name in ({name})')
export const chosenNamedSelector = filledText('must be a selector of labels').default('name in ({name})')

function filledText(problem: string) {
  return z.string(problem).regex(/\S/, problem)
}

/** The package takes the empty text for none. */
function givenText(given: string | null): string | null {
  return given === '' ? null : given
}

export function withName(template: string, name: string | null): string {
  return template.replaceAll('{name}', name ?? 'None')
}
