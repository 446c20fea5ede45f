import type { Json } from '../../kernel/index.ts'

type JsonMap = { readonly [key: string]: Json }

export function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Python's `==`: True is 1, and an order of keys does not matter. */
export function pythonEquals(a: Json, b: Json): boolean {
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item: Json, index) => pythonEquals(item, (b as Json[])[index] ?? null))
    )
  }
  if (isMap(a)) {
    if (!isMap(b) || Object.keys(a).length !== Object.keys(b).length) return false
    return Object.entries(a).every(([key, member]) => Object.hasOwn(b, key) && pythonEquals(member, b[key] ?? null))
  }
  return asNumber(a) === asNumber(b)
}

/** Python's truth of a value. */
export function isTruthy(value: Json): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (isMap(value)) return Object.keys(value).length > 0
  return Boolean(value)
}

/** Python's `low <= value <= high`. Throws a TypeError for what has no order. */
export function isBetween(low: Json, value: Json, high: Json): boolean {
  return isAtMost(low, value) && isAtMost(value, high)
}

function isAtMost(a: Json, b: Json): boolean {
  const [left, right] = [asNumber(a), asNumber(b)]
  if (typeof left === 'number' && typeof right === 'number') return left <= right
  if (typeof left === 'string' && typeof right === 'string') return left <= right
  throw new TypeError(`'<=' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`)
}

/**
 * Python's Decimal(value): numbers, and texts of numbers with space around. Undefined for another text; throws a TypeError for what no
 * number can be made of.
 */
export function toDecimal(value: Json): number | undefined {
  const known = asNumber(value)
  if (typeof known === 'number') return known
  if (typeof known !== 'string') throw new TypeError(`conversion from ${typeName(value)} to Decimal is not supported`)
  const text = known.trim().replaceAll('_', '')
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined
}

function asNumber(value: Json): Json {
  return typeof value === 'boolean' ? Number(value) : value
}

function typeName(value: Json): string {
  if (value === null) return 'NoneType'
  if (Array.isArray(value)) return 'list'
  switch (typeof value) {
    case 'boolean':
      return 'bool'
    case 'string':
      return 'str'
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float'
    default:
      return 'dict'
  }
}

const flagNames: Readonly<Record<string, string>> = { i: 'i', m: 'm', s: 's', u: '', a: '', x: '' }

/**
 * A regular expression written for Python. Throws a SyntaxError for what has no counterpart: a pattern that means something else must not
 * decide.
 */
export function pythonPattern(pattern: string): RegExp {
  const inline = /^\(\?([aimsux]+)\)/.exec(pattern)
  const flags = (inline?.[1] ?? '').split('')
  if (flags.includes('x')) throw new SyntaxError('verbose patterns are not understood')
  const isMultiline = flags.includes('m')
  const body = pattern.slice(inline?.[0].length ?? 0)
  let source = ''
  let inClass = false
  for (let at = 0; at < body.length; at++) {
    const rest = body.slice(at)
    const named = /^\(\?P<(\w+)>/.exec(rest) ?? /^\(\?P=(\w+)\)/.exec(rest)
    if (rest.startsWith('\\A') && !inClass) {
      source += '(?<![^])'
      at++
    } else if (rest.startsWith('\\Z') && !inClass) {
      source += '(?![^])'
      at++
    } else if (rest.startsWith('\\')) {
      source += rest.slice(0, 2)
      at++
    } else if (named !== null && !inClass) {
      source += named[0].startsWith('(?P<') ? `(?<${named[1]}>` : `\\k<${named[1]}>`
      at += named[0].length - 1
    } else {
      if (rest.startsWith('[')) inClass = true
      else if (rest.startsWith(']')) inClass = false
      // Python's $ also stands before a line's end that is the last character.
      source += rest.startsWith('$') && !inClass && !isMultiline ? '(?=\\n?$)' : (rest[0] ?? '')
    }
  }
  return new RegExp(source, flags.map((flag) => flagNames[flag] ?? '').join(''))
}
