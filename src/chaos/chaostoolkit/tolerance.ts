import type { Json } from '../../kernel/index.ts'
import { parseJsonpath } from '../hypothesis/jsonpath.ts'
import { isBetween, isMap, isTruthy, pythonEquals, pythonPattern, toDecimal } from './python-values.ts'
import { substitute } from './substitute.ts'
import { ActivityFailed, type CtkActivity, type CtkVariables } from './types.ts'

export interface ToleranceDeps {
  readonly variables: CtkVariables
  /** Plays the probe that a tolerance of type probe is. */
  readonly play: (probe: CtkActivity) => Promise<Json>
}

type JsonMap = { readonly [key: string]: Json }

/**
 * Whether an output is as it must be, by the rules of chaostoolkit-lib. Throws a TypeError where Python would: what cannot be compared says
 * neither yes nor no.
 */
export async function isTolerated(tolerance: Json, output: Json, deps: ToleranceDeps): Promise<boolean> {
  if (typeof tolerance === 'string') {
    const wanted = substitute(tolerance, deps.variables)
    return typeof wanted === 'string' ? pythonEquals(wanted, output) : await isTolerated(wanted, output, deps)
  }
  if (typeof tolerance === 'boolean') return pythonEquals(tolerance, output)
  const status = isMap(output) ? output.status : undefined
  if (typeof tolerance === 'number') return Number.isInteger(tolerance) && pythonEquals(tolerance, status ?? output)
  if (Array.isArray(tolerance)) {
    const list = tolerance as readonly Json[]
    if (status !== undefined) return list.some((item) => pythonEquals(item, status))
    const [low = null, high = null] = list
    return list.length === 2 ? isBetween(low, output, high) : list.some((item) => pythonEquals(item, output))
  }
  return isMap(tolerance) && (await byType(tolerance, output, deps))
}

async function byType(tolerance: JsonMap, output: Json, deps: ToleranceDeps): Promise<boolean> {
  switch (tolerance.type) {
    case 'probe':
      return await byProbe(tolerance as unknown as CtkActivity, output, deps)
    case 'regex': {
      const value = targeted(tolerance, output)
      const pattern = substitute(tolerance.pattern ?? '', deps.variables)
      if (typeof value !== 'string' || typeof pattern !== 'string') throw new TypeError('expected string or bytes-like object')
      return pythonPattern(pattern).test(value)
    }
    case 'range': {
      const value = toDecimal(targeted(tolerance, output))
      const [low, high] = tolerance.range as readonly number[]
      return value !== undefined && low !== undefined && high !== undefined && low <= value && value <= high
    }
    case 'jsonpath':
      return byPath(tolerance, targeted(tolerance, output), deps.variables)
    default:
      return false
  }
}

function byPath(tolerance: JsonMap, value: Json, variables: CtkVariables): boolean {
  const path = substitute(tolerance.path ?? '', variables)
  if (typeof path !== 'string') throw new TypeError('a JSON path is a text')
  const found = parseJsonpath(path, { filters: 'itself' }).find(typeof value === 'string' ? parsed(value) : value)
  if ('expect' in tolerance) {
    const expected = substitute(tolerance.expect ?? null, variables)
    return pythonEquals(Array.isArray(expected) ? expected : [expected], found)
  }
  return typeof tolerance.count === 'number' ? found.length === tolerance.count : found.length > 0
}

async function byProbe(probe: CtkActivity, output: Json, { play }: ToleranceDeps): Promise<boolean> {
  const given = probe.provider.arguments
  const provider = { ...probe.provider, arguments: { ...(isMap(given) ? given : {}), value: output } }
  try {
    return isTruthy(await play({ ...probe, provider }))
  } catch (error) {
    if (error instanceof ActivityFailed) return false
    throw error
  }
}

/** A part of an output, or the output itself. Throws a TypeError, as Python does, when it has no parts. */
function targeted({ target }: JsonMap, output: Json): Json {
  if (typeof target !== 'string' || target === '') return output
  if (!isMap(output)) throw new TypeError('the output has no parts of which one could be the target')
  return output[target] ?? output
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}
