import { HoldfastError, type Json } from '../kernel/index.ts'

const reference = /\$\{steps\.([A-Za-z0-9_/-]+)((?:\.[A-Za-z0-9_-]+)+)\}/g
const anyReference = /\$\{steps\.[^}]*\}?/g

/** The steps whose outputs a value refers to. Throws `usage` for a reference that is not `${steps.ID.NAME}`. */
export function referencedSteps(value: Json): Set<string> {
  const found = new Set<string>()
  visitTexts(value, (text) => {
    const whole = [...text.matchAll(reference)]
    if ((text.match(anyReference) ?? []).length !== whole.length) {
      throw new HoldfastError('usage', {
        message: `'${text}' refers to an output in a form that is not known`,
        hint: 'write ${steps.ID.NAME}, for example ${steps.restore.dataDirectory}',
      })
    }
    for (const [, step] of whole) if (step !== undefined) found.add(step)
  })
  return found
}

/**
 * Fills in the outputs of earlier steps. A text that is nothing but one reference becomes the output itself, of whatever type; within
 * other text only texts and numbers can stand. Nothing is evaluated, and what was filled in is not looked at again.
 * Throws `step-failed` for an output that does not exist.
 */
export function fillIn(value: Json, outputs: Readonly<Record<string, Json>>): Json {
  if (typeof value === 'string') return fillInText(value, outputs)
  if (Array.isArray(value)) return value.map((item: Json) => fillIn(item, outputs))
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, member]: [string, Json]) => [key, fillIn(member, outputs)]))
  }
  return value
}

function fillInText(text: string, outputs: Readonly<Record<string, Json>>): Json {
  const only = [...text.matchAll(reference)]
  if (only.length === 1 && only[0]?.[0] === text) return lookUp(only[0], outputs)
  return text.replaceAll(reference, (...match) => {
    const found = lookUp(match, outputs)
    if (typeof found === 'string' || typeof found === 'number') return String(found)
    throw new HoldfastError('step-failed', {
      message: `${match[0]} is not a text or a number, and cannot stand within other text`,
    })
  })
}

function lookUp([whole, step, path]: readonly string[], outputs: Readonly<Record<string, Json>>): Json {
  let value: Json | undefined = Object.hasOwn(outputs, step ?? '') ? outputs[step ?? ''] : undefined
  for (const name of (path ?? '').slice(1).split('.')) {
    const members: Readonly<Record<string, Json>> | undefined =
      value !== null && typeof value === 'object' ? (value as Readonly<Record<string, Json>>) : undefined
    value = members !== undefined && Object.hasOwn(members, name) ? members[name] : undefined
  }
  if (value !== undefined) return value
  throw new HoldfastError('step-failed', {
    message: `${whole} does not exist: step ${step} gave no such output`,
    hint: `\`holdfast run show\` lists the outputs of ${step}`,
  })
}

function visitTexts(value: Json, visit: (text: string) => void): void {
  if (typeof value === 'string') visit(value)
  else if (value !== null && typeof value === 'object') for (const member of Object.values<Json>(value)) visitTexts(member, visit)
}
