import type { z } from 'zod'
import { tryParseDuration, tryParseSize } from '../kernel/index.ts'
import type { SchemaNode } from './json-schema.ts'
import { suggest } from './suggest.ts'
import type { Finding } from './finding.ts'

interface Question {
  readonly place: string
  readonly value: string | number | boolean
  /** As it stands in the file, quotes and all. */
  readonly written: string
  readonly nodes: readonly SchemaNode[]
  readonly expected: string | undefined
  readonly issue: z.core.$ZodIssue
  /** It belongs to a reference to a secret, so it may be one by mistake. */
  readonly secret: boolean
}

/** What is wrong with a single value, and what was probably meant. */
export function wrongScalar({ place, value, written, nodes, expected, issue, secret }: Question): Omit<Finding, 'offset'> {
  const wants = expected === undefined ? {} : { expected }
  if (secret) return { code: 'wrong-value', message: `${place} is not what it should be`, ...wants }
  const unit = nodes.find((node) => node.unit !== undefined)?.unit
  if (unit !== undefined) return { ...wrongUnit(place, value, unit), ...wants }
  const choices = nodes.flatMap((node) => node.enum ?? (node.const === undefined ? [] : [node.const]))
  if (choices.length > 0) {
    const similar = typeof value === 'string' ? suggest(value, choices.map(String)) : undefined
    return {
      code: typeof value === typeof choices[0] ? 'wrong-value' : 'wrong-type',
      message: `${place} is ${shown(value)}`,
      ...wants,
      ...(similar === undefined ? {} : { hint: `did you mean '${similar}'?` }),
    }
  }
  const hint = typeHint(value, written, nodes)
  if (issue.code === 'custom' && issue.message !== 'Invalid input')
    return { code: 'wrong-value', message: `${place}: ${issue.message}`, ...wants }
  return {
    code: issue.code === 'invalid_type' ? 'wrong-type' : 'wrong-value',
    message: value === '' ? `${place} is empty` : `${place} is ${shown(value)}`,
    ...(nodes.some((node) => node.expected !== undefined) ? wants : (range(issue) ?? wants)),
    ...(hint === undefined ? {} : { hint }),
  }
}

const units = {
  duration: { name: 'duration', parse: tryParseDuration, examples: ['s', 'm', 'h'] },
  size: { name: 'size', parse: tryParseSize, examples: ['MiB', 'GiB'] },
} as const

function wrongUnit(place: string, value: string | number | boolean, unit: keyof typeof units): Omit<Finding, 'offset'> {
  const { name, examples } = units[unit]
  const bare =
    typeof value === 'number' ? String(value) : typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? value : undefined
  if (bare !== undefined && !bare.startsWith('-')) {
    const meant = examples.map((suffix) => bare + suffix)
    return {
      code: 'unit-missing',
      message: `${place} is ${bare} without a unit, which could be mistaken`,
      hint: `write ${meant.slice(0, -1).join(', ')} or ${meant.at(-1)}`,
    }
  }
  if (typeof value !== 'string') return { code: 'wrong-type', message: `${place} is ${shown(value)}, not a ${name}` }
  const other = unit === 'duration' ? units.size : units.duration
  if (other.parse(value) !== undefined)
    return { code: 'wrong-unit', message: `${place} is the ${other.name} ${value}, not a ${name}` }
  const meant = unit === 'duration' ? durationMeant(value) : sizeMeant(value)
  return {
    code: 'wrong-unit',
    message: `${place} is ${shown(value)}, which is not a ${name}`,
    ...(meant === undefined ? {} : { hint: `did you mean ${meant}?` }),
  }
}

const words = { ms: /^(ms|milli)/i, s: /^s(ec|$)/i, m: /^m(in|$)/i, h: /^h/i, d: /^d/i, w: /^w/i }

/** `5 minutes`, `1 hour 30 min` or `10S` as it should have been written; months and years have no fixed length. */
function durationMeant(text: string): string | undefined {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)]
  const meant = parts.map(([, count, word = '']) => {
    const unit = Object.entries(words).find(([, pattern]) => pattern.test(word))?.[0]
    return unit === undefined || /^mo/i.test(word) ? undefined : `${count}${unit}`
  })
  const joined = meant.join('')
  return meant.length > 0 && !meant.includes(undefined) && tryParseDuration(joined) !== undefined ? joined : undefined
}

function sizeMeant(text: string): string | undefined {
  const [, count, prefix, suffix = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt])(i?b?)(?:ytes)?$/i.exec(text) ?? []
  if (count === undefined || prefix === undefined) return undefined
  return `${count}${prefix.toUpperCase()}${suffix.toLowerCase() === 'b' ? 'B' : 'iB'}`
}

function typeHint(value: string | number | boolean, written: string, nodes: readonly SchemaNode[]): string | undefined {
  const types = new Set(nodes.map(({ type }) => type))
  if (typeof value === 'string') {
    if (types.has('boolean') && /^(y|yes|on)$/i.test(value)) return 'write true; in YAML 1.2 yes and on are texts'
    if (types.has('boolean') && /^(n|no|off)$/i.test(value)) return 'write false; in YAML 1.2 no and off are texts'
    if ((types.has('number') || types.has('integer')) && /^-?\d+(\.\d+)?$/.test(value)) return `write ${value} without quotes`
    if (types.has('array')) return `write a list: [${written}]`
    return undefined
  }
  if (types.has('string')) return `write it in quotes: "${written}"`
  return undefined
}

function range(issue: z.core.$ZodIssue): { expected: string } | undefined {
  if (issue.code === 'too_small' && issue.origin !== 'string') return { expected: `at least ${issue.minimum}` }
  if (issue.code === 'too_big' && issue.origin !== 'string') return { expected: `at most ${issue.maximum}` }
  return undefined
}

function shown(value: string | number | boolean): string {
  if (typeof value === 'number') return `the number ${value}`
  if (typeof value === 'boolean') return `the truth value ${value}`
  return `'${value.length > 60 ? `${value.slice(0, 60)}…` : value}'`
}
