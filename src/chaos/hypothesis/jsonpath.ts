import { HoldfastError, type Json } from '../../kernel/index.ts'
import { parseFilter, type Filter } from './jsonpath-filter.ts'

/**
 * JSONPath (RFC 9535) as far as experiments use it: `$`, names in dots and brackets, indexes, slices, `*`, `..`, and filters. A filter may
 * also be written as the library jsonpath2 wants it: one `=`, and the words `and`, `or` and `not`.
 */
export interface Jsonpath {
  find(value: Json): Json[]
}

type Selector = (value: Json) => Json[]

export interface JsonpathOptions {
  /** What a filter chooses from: the children of what was found so far, as the RFC says, or that itself, as the library jsonpath2 does. */
  readonly filters: 'children' | 'itself'
}

/** Throws `usage` for a text that is no path. */
export function parseJsonpath(text: string, options: JsonpathOptions = { filters: 'children' }): Jsonpath {
  const steps = new Parser(text, options).path()
  return { find: (value) => steps.reduce<Json[]>((found, step) => found.flatMap(step), [value]) }
}

class Parser {
  readonly #text: string
  readonly #filters: JsonpathOptions['filters']
  #at = 0

  constructor(text: string, { filters }: JsonpathOptions) {
    this.#text = text.trim()
    this.#filters = filters
  }

  path(): Selector[] {
    if (!this.#take('$')) throw this.#wrong('it begins with $')
    const steps: Selector[] = []
    while (this.#at < this.#text.length) {
      if (this.#take('..')) {
        steps.push(descendants)
        if (this.#text[this.#at] !== '[') steps.push(this.#name())
      } else if (this.#take('.')) {
        // The library jsonpath2 writes `.*[…]` and `.[…]` for the same.
        if (this.#text[this.#at] !== '[') steps.push(this.#name())
      } else if (this.#take('[')) {
        steps.push(this.#brackets())
      } else {
        throw this.#wrong(`nothing fits at ${this.#at + 1}`)
      }
    }
    return steps
  }

  #name(): Selector {
    if (this.#take('*')) return children
    const name = /^[\p{L}_][\p{L}\p{N}_-]*/u.exec(this.#text.slice(this.#at))?.[0]
    if (name === undefined) throw this.#wrong(`a name is missing at ${this.#at + 1}`)
    this.#at += name.length
    return member(name)
  }

  #brackets(): Selector {
    const end = closing(this.#text, this.#at)
    if (end === undefined) throw this.#wrong('a bracket is not closed')
    const inner = this.#text.slice(this.#at, end).trim()
    this.#at = end + 1
    if (inner.startsWith('?')) {
      const filter: Filter = parseFilter(
        inner.slice(1),
        (path) => {
          const below = parseJsonpath(path)
          return (value) => below.find(value)
        },
        (reason) => this.#wrong(reason),
      )
      return (value) => (this.#filters === 'itself' ? [value] : children(value)).filter(filter)
    }
    const parts = inner.split(/,(?=(?:[^'"]|'[^']*'|"[^"]*")*$)/).map((part) => this.#selector(part.trim()))
    return (value) => parts.flatMap((part) => part(value))
  }

  #selector(text: string): Selector {
    if (text === '*') return children
    const quoted = /^(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")$/.exec(text)
    if (quoted !== null) return member((quoted[1] ?? quoted[2] ?? '').replaceAll(/\\(.)/g, '$1'))
    if (/^-?\d+$/.test(text)) {
      const index = Number(text)
      return (value) => (Array.isArray(value) ? value.slice(index, index === -1 ? undefined : index + 1) : [])
    }
    const slice = /^(-?\d+)?\s*:\s*(-?\d+)?(?:\s*:\s*(\d+)?)?$/.exec(text)
    if (slice === null) throw this.#wrong(`${text} selects nothing`)
    const [from, to, step] = slice.slice(1).map((part) => (part === undefined ? undefined : Number(part)))
    if (step === 0) throw this.#wrong('a slice cannot go on by 0')
    return (value) => (Array.isArray(value) ? value.slice(from, to).filter((_, index) => index % (step ?? 1) === 0) : [])
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #wrong(reason: string): HoldfastError {
    return new HoldfastError('usage', {
      message: `'${this.#text}' is not a JSON path: ${reason}`,
      hint: "write it as $.items[*].status or $.items[?(@.ready == true)]['name']",
    })
  }
}

function member(name: string): Selector {
  return (value) => {
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isMap && Object.hasOwn(value, name) ? [(value as Readonly<Record<string, Json>>)[name] as Json] : []
  }
}

function children(value: Json): Json[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : []
}

/** The value itself, and all below it. */
function descendants(value: Json): Json[] {
  return [value, ...children(value).flatMap(descendants)]
}

/** Where the bracket that was opened before `from` is closed, not counting what stands in quotes. */
function closing(text: string, from: number): number | undefined {
  let depth = 1
  let quote: string | undefined
  for (let at = from; at < text.length; at++) {
    const character = text[at]
    if (quote !== undefined) {
      if (character === '\\') at++
      else if (character === quote) quote = undefined
    } else if (character === "'" || character === '"') quote = character
    else if (character === '[') depth++
    else if (character === ']' && --depth === 0) return at
  }
  return undefined
}
