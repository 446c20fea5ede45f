import type { Json } from '../kernel/index.ts'

/** `${params.NAME}`: a parameter of the plan that it stands in. */
const parameter = /\$\{params\.([A-Za-z0-9][A-Za-z0-9._-]*)\}/g
const stepReference = /\$\{steps\.(?=[A-Za-z0-9])/g

/** The parameters that a text uses. */
export function paramsIn(text: string): string[] {
  return [...text.matchAll(parameter)].map(([, name = '']) => name)
}

/**
 * Fills in the parameters of a plan. A text that is nothing but one reference becomes the value itself, of whatever type; within other text
 * texts, numbers and booleans can stand. What has no value stays as it is, for the checks to find.
 */
export function fillInParams(value: Json, params: Readonly<Record<string, Json>>): Json {
  return mapTexts(value, (text) => {
    const only = [...text.matchAll(parameter)]
    const name = only[0]?.[1] ?? ''
    if (only.length === 1 && only[0]?.[0] === text) return Object.hasOwn(params, name) ? (params[name] ?? null) : text
    return text.replaceAll(parameter, (whole: string, name: string) => {
      const found = Object.hasOwn(params, name) ? params[name] : undefined
      return found === undefined || found === null || typeof found === 'object' ? whole : String(found)
    })
  })
}

/** References to outputs of steps, to the same steps where they stand in a larger plan. */
export function renameSteps(value: Json, prefix: string): Json {
  return prefix === '' ? value : mapTexts(value, (text) => text.replaceAll(stepReference, `\${steps.${prefix}`))
}

function mapTexts(value: Json, map: (text: string) => Json): Json {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((item: Json) => mapTexts(item, map))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries<Json>(value).map(([key, member]) => [key, mapTexts(member, map)]))
}
