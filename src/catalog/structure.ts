import type { z } from 'zod'
import { alternatives, expectation, keyList, oneOf, schemasAt, type SchemaNode } from './json-schema.ts'
import { suggest } from './suggest.ts'
import { calledAt, isAction } from './steps.ts'
import { wrongScalar } from './wrong-scalar.ts'
import { isPlainMap, pathText, type Finding, type Path } from './finding.ts'
import type { CatalogSource } from './catalog-source.ts'

type Issue = z.core.$ZodIssue

/** Everything about the shape that the schema does not accept, in words for people, each at its place. */
export function structureFindings(schema: z.ZodType, described: SchemaNode, value: unknown, source: CatalogSource): Finding[] {
  const result = schema.safeParse(value)
  if (result.success) return []
  const words = new Wording(described, value, source)
  const { issues } = result.error
  // An unknown key is reason enough why something else is not there.
  const unknownAt = new Set(issues.filter(({ code }) => code === 'unrecognized_keys').map((issue) => pathText(pathOf(issue))))
  return issues
    .filter((issue) => issue.code !== 'custom' || !unknownAt.has(pathText(pathOf(issue))))
    .flatMap((issue) => words.findings(issue, pathOf(issue)))
}

function pathOf({ path }: Issue, base: Path = []): Path {
  return [...base, ...path.map((part) => (typeof part === 'number' ? part : String(part)))]
}

export function valueAt(value: unknown, path: Path): unknown {
  let at: unknown = value
  for (const part of path) {
    if (typeof part === 'number') at = Array.isArray(at) ? at[part] : undefined
    else at = isPlainMap(at) && Object.hasOwn(at, part) ? at[part] : undefined
  }
  return at
}

class Wording {
  readonly #described: SchemaNode
  readonly #value: unknown
  readonly #source: CatalogSource

  constructor(described: SchemaNode, value: unknown, source: CatalogSource) {
    this.#described = described
    this.#value = value
    this.#source = source
  }

  findings(issue: Issue, path: Path): Finding[] {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => this.#unknownKey(path, key))
    if (issue.code === 'invalid_key') return [this.#badName(path)]
    const value = valueAt(this.#value, path)
    // An output of an earlier step or a parameter of the plan, of a type that only the run will show.
    if (
      typeof value === 'string' &&
      /\$\{(?:steps|params)\./.test(value) &&
      path.some((_, index) => isAction(path.slice(0, index + 1)))
    )
      return []
    // What could not be read has been reported as that: an alias without an anchor, for one.
    if (value === undefined && Object.hasOwn(Object(valueAt(this.#value, path.slice(0, -1))) as object, path.at(-1) ?? ''))
      return []
    if (value === undefined || value === null) return [this.#missing(path, value)]
    if (issue.code === 'invalid_union') return this.#union(issue, path)
    return [this.#wrong(issue, path, value)]
  }

  #missing(path: Path, value: null | undefined): Finding {
    const nodes = schemasAt(this.#described, path)
    const name = String(path.at(-1) ?? 'the catalog')
    const example = nodes.find(({ examples }) => examples !== undefined)?.examples?.[0]
    const expected = nodes.find(({ description }) => description !== undefined)?.description ?? expectation(nodes)
    return {
      code: 'missing',
      offset: value === null ? this.#source.keyOffset(path) : this.#source.keyOffset(path.slice(0, -1)),
      message: value === null ? `${pathText(path)} has no value` : `${pathText(path.slice(0, -1))} has no '${name}'`,
      ...(expected === undefined ? {} : { expected: `${name}: ${expected.replace(/\.$/, '')}` }),
      ...(example === undefined ? {} : { hint: `write \`${name}: ${flow(example)}\`` }),
    }
  }

  #wrong(issue: Issue, path: Path, value: unknown): Finding {
    const nodes = schemasAt(this.#described, path)
    const offset = this.#source.valueOffset(path)
    const expected = expectation(nodes)
    const place = pathText(path)
    const all = nodes.flatMap(alternatives)
    // Never a word of what was written here.
    if (all.some(({ secret }) => secret === true) && !isPlainMap(value))
      return {
        code: 'plain-secret',
        offset,
        message: `${place} must be a reference to a secret, not the secret itself`,
        ...(expected ? { expected } : {}),
        hint: secretHint,
      }
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      const written = this.#source.written(path)?.text ?? String(value)
      return {
        offset,
        ...wrongScalar({ place, value, written, nodes: all, expected, issue, secret: isInSecret(this.#described, path) }),
      }
    }
    if (issue.code === 'custom' && issue.message !== 'Invalid input') {
      const said = nodes.find((node) => node.expected !== undefined)?.expected
      return {
        code: 'wrong-value',
        offset,
        message: `${place}: ${issue.message}`,
        ...(said === undefined ? {} : { expected: said }),
      }
    }
    const keys = Array.isArray(value) ? [] : Object.keys(value ?? {})
    const empty = Array.isArray(value) ? value.length === 0 : keys.length === 0
    if (issue.code === 'invalid_type')
      return {
        code: 'wrong-type',
        offset,
        message: `${place} is ${Array.isArray(value) ? 'a list' : 'a map'}`,
        ...(expected ? { expected } : {}),
      }
    return {
      code: 'wrong-value',
      offset,
      message: empty ? `${place} is empty` : `${place} has ${keys.length > 0 ? keyList(keys) : 'too many entries'}`,
      ...(empty && Array.isArray(value) ? { expected: 'at least one entry' } : expected ? { expected } : {}),
    }
  }

  /** The complaint of the alternative that was most likely meant. */
  #union(issue: Extract<Issue, { code: 'invalid_union' }>, path: Path): Finding[] {
    const byTyped = issue.errors.filter(
      (issues) => !issues.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0),
    )
    const meant = byTyped.toSorted((a, b) => a.length - b.length)[0]
    const value = valueAt(this.#value, path)
    if (meant === undefined || meant.length === 0 || typeof value !== 'object')
      return [this.#wrong(meant?.[0] ?? { ...issue, code: 'invalid_type', expected: 'string' }, path, value)]
    return meant.flatMap((inner) => this.findings(inner, pathOf(inner, path)))
  }

  #unknownKey(path: Path, key: string): Finding {
    const keys = [
      ...new Set(
        schemasAt(this.#described, path)
          .flatMap(alternatives)
          .flatMap(({ properties }) => Object.keys(properties ?? {})),
      ),
    ]
    const offset = this.#source.keyOffset([...path, key])
    const known = { expected: oneOf([keyList(keys)]) }
    const similar = suggest(key, keys)
    const noun = calledAt(path)
    if (noun !== undefined && !(path.at(-1) === 'check' && (similar === 'every' || similar === 'timeout'))) {
      const kinds = keys.filter((kind) => !(path.at(-1) === 'check' && (kind === 'every' || kind === 'timeout')))
      return {
        code: `unknown-${noun}`,
        offset,
        message: `there is no ${noun} '${key}'`,
        expected: `one of ${kinds.join(', ')}`,
        ...(similar === undefined ? {} : { hint: `did you mean '${similar}'?` }),
      }
    }
    const deeper = keys.find((name) =>
      schemasAt(this.#described, [...path, name]).some(
        ({ properties }) => properties !== undefined && Object.hasOwn(properties, key),
      ),
    )
    const hint = this.#hintForUnknown([...path, key], similar, deeper)
    return {
      code: 'unknown-key',
      offset,
      message: `${pathText(path)} has an unknown key '${key}'`,
      expected: keys.length === 1 ? known.expected : `one of ${known.expected}`,
      ...(hint === undefined ? {} : { hint }),
    }
  }

  #hintForUnknown(path: Path, similar: string | undefined, deeper: string | undefined): string | undefined {
    if (similar !== undefined) return `did you mean '${similar}'?`
    if (deeper !== undefined) return `it belongs under '${deeper}'`
    // { description: one, two }: the comma ends the value.
    const isRestOfText = valueAt(this.#value, path) === null && String(path.at(-1)).includes(' ')
    return isRestOfText ? 'within { } and [ ] a text with a comma needs quotes' : undefined
  }

  #badName(path: Path): Finding {
    const nodes = schemasAt(this.#described, path.slice(0, -1))
    const names = nodes.map(({ propertyNames }) => propertyNames as SchemaNode | undefined).filter((node) => node !== undefined)
    const expected = expectation(names)
    return {
      code: 'bad-key',
      offset: this.#source.keyOffset(path),
      message: `'${path.at(-1)}' cannot be a name in ${pathText(path.slice(0, -1))}`,
      ...(expected === undefined ? {} : { expected }),
    }
  }
}

export const secretHint = 'write { env: NAME } or { file: PATH } and put the secret there'

function isInSecret(described: SchemaNode, path: Path): boolean {
  return path.some((_, index) =>
    schemasAt(described, path.slice(0, index + 1))
      .flatMap(alternatives)
      .some(({ secret }) => secret === true),
  )
}

/** A value as YAML on one line. */
export function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (isPlainMap(value)) {
    const members = Object.entries(value).map(([key, member]) => `${key}: ${flow(member)}`)
    return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
  }
  return typeof value === 'string' && /[:#,[\]{}]/.test(value) ? JSON.stringify(value) : String(value)
}
