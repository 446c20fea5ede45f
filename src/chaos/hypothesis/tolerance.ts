import type { JsonpathExpectation, SampleTolerance, Tolerance, WindowTolerance } from '../../catalog/index.ts'
import { canonicalJson, type Json } from '../../kernel/index.ts'
import { parseJsonpath } from './jsonpath.ts'

/** What a look gave: its value, and the text in which more can be found. */
export interface Seen {
  readonly value: Json
  readonly text: string
}

export function isWindow(tolerance: Tolerance): tolerance is WindowTolerance {
  return tolerance.kind === 'rate' || tolerance.kind === 'latency'
}

/** Why what was seen is not as it must be; undefined when it is. What cannot be compared is not. */
export function unmet(tolerance: SampleTolerance, { value, text }: Seen): string | undefined {
  switch (tolerance.kind) {
    case 'present':
      return value === null || value === false ? `gave ${shown(value)}` : undefined
    case 'equals':
      return canonicalJson(value) === canonicalJson(tolerance.value)
        ? undefined
        : `gave ${shown(value)}, not ${shown(tolerance.value)}`
    case 'range':
      return outOfRange(tolerance, value)
    case 'matches':
      return new RegExp(tolerance.pattern).test(text) ? undefined : `gave nothing that matches ${tolerance.pattern}`
    case 'jsonpath':
      return unmetByPath(tolerance.path, tolerance.found, text)
    default:
      throw new TypeError('a tolerance of an unknown kind')
  }
}

function outOfRange({ atLeast, atMost }: { atLeast?: number; atMost?: number }, value: Json): string | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return `gave ${shown(value)}, which is no number`
  if (atLeast !== undefined && value < atLeast) return `gave ${value}, less than ${atLeast}`
  if (atMost !== undefined && value > atMost) return `gave ${value}, more than ${atMost}`
  return undefined
}

function unmetByPath(path: string, expected: JsonpathExpectation, text: string): string | undefined {
  let document: Json
  try {
    document = JSON.parse(text) as Json
  } catch {
    return 'gave no JSON'
  }
  const found = parseJsonpath(path).find(document)
  if (expected.kind === 'count') {
    return found.length === expected.count ? undefined : `has ${found.length} of ${path}, not ${expected.count}`
  }
  // Nothing found is nothing shown, also where each of what was found would do.
  if (found.length === 0) return `has no ${path}`
  if (expected.kind === 'some') return undefined
  for (const value of found) {
    const because = unmet(expected.of, { value, text: '' })
    if (because !== undefined) return `${path} ${because}`
  }
  return undefined
}

const maxShown = 80

function shown(value: Json): string {
  const text = JSON.stringify(value)
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text
}
