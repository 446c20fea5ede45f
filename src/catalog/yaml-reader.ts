import { isAlias, isMap, isNode, isPair, isScalar, isSeq } from 'yaml'
import type { Alias, Node, Pair, Scalar, YAMLMap } from 'yaml'
import { isPlainMap, type Finding } from './finding.ts'

const maxDepth = 64
/** What aliases may add in total. A catalog has some hundreds; an alias bomb has billions. */
const maxAliasedValues = 200_000

/** Turns nodes into values. Aliases share the value of their anchor. */
export class YamlReader {
  readonly findings: Finding[] = []
  readonly targets = new Map<Alias, Node>()
  /** For finding the place of a path: made when a map is first asked for a key. */
  readonly pairs = new Map<YAMLMap, ReadonlyMap<string, Pair>>()
  readonly #anchors = new Map<string, Node>()
  readonly #values = new Map<Node, unknown>()
  readonly #sizes = new Map<Node, number>()
  readonly #open = new Set<Node>()
  readonly #text: string
  #aliased = 0
  #tooDeep = false

  constructor(text: string) {
    this.#text = text
  }

  find(finding: Finding): void {
    this.findings.push(finding)
  }

  read(node: Node, depth: number): unknown {
    if (isAlias(node)) return this.#alias(node)
    const offset = node.range?.[0] ?? 0
    if (depth > maxDepth) {
      if (!this.#tooDeep) this.find({ code: 'too-large', offset, message: `it is nested more than ${maxDepth} levels deep` })
      this.#tooDeep = true
      return undefined
    }
    if ('anchor' in node && typeof node.anchor === 'string') this.#anchor(node.anchor, node)
    this.#open.add(node)
    let size = 1
    const child = (item: unknown): unknown => {
      if (!isNode(item)) return null
      const value = this.read(item, depth + 1)
      size += this.#sizeOf(item)
      return value
    }
    let value: unknown
    if (isMap(node)) value = this.#map(node, child)
    else if (isSeq(node)) value = node.items.map((item) => (isPair(item) ? null : child(item)))
    else if (isScalar(node)) value = this.#scalar(node)
    this.#open.delete(node)
    this.#values.set(node, value)
    this.#sizes.set(node, size)
    return value
  }

  #map(map: YAMLMap, child: (item: unknown) => unknown): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    const merged: unknown[] = []
    const seen = new Map<string, number>()
    for (const pair of map.items) {
      const key = this.#key(pair)
      const value = child(pair.value)
      if (key === undefined) continue
      const offset = keyNode(pair)?.range?.[0] ?? 0
      const first = seen.get(key)
      if (first !== undefined) {
        this.find({
          code: 'duplicate-key',
          offset,
          message: `the key '${key}' is here twice`,
          hint: `${this.#lineOf(first)} has it first; remove one of the two`,
        })
        continue
      }
      seen.set(key, offset)
      if (isMergeKey(pair)) merged.push(...this.#mergeSources(value, offset))
      else object[key] = value
    }
    // YAML's merge rule: what is written wins over what is merged, and of several the first.
    for (const source of merged) {
      for (const [key, value] of Object.entries(source as object)) if (!Object.hasOwn(object, key)) object[key] = value
    }
    return object
  }

  #mergeSources(value: unknown, offset: number): unknown[] {
    const sources: unknown[] = Array.isArray(value) ? value : [value]
    if (sources.every((source) => isPlainMap(source))) return sources
    this.find({
      code: 'wrong-type',
      offset,
      message: "'<<' merges something that is not a map",
      expected: 'an alias of a map, or a list of them',
    })
    return []
  }

  #key(pair: Pair): string | undefined {
    const node = keyNode(pair)
    const offset = node?.range?.[0] ?? 0
    const target = isAlias(node) ? (this.#alias(node), this.targets.get(node)) : node
    if (isNode(node) && 'anchor' in node && typeof node.anchor === 'string') this.#anchor(node.anchor, node)
    const key = isScalar(target) ? keyText(target) : undefined
    if (key !== undefined && key !== '' && key !== '__proto__') return key
    this.find({
      code: 'bad-key',
      offset,
      message: key === '__proto__' ? `the key '${key}' is not allowed` : 'this key is not a text',
      expected: 'a plain text as the key',
    })
    return undefined
  }

  #scalar(node: Scalar): unknown {
    const { value, source = '', range } = node
    if (typeof value !== 'number') return value
    const offset = range?.[0] ?? 0
    const quoted = `write it in quotes if it is a text: "${source}"`
    if (/^[-+]?0\d/.test(source))
      this.find({
        code: 'ambiguous-number',
        offset,
        message: `${source} is octal to some readers and decimal to others`,
        expected: 'a number without leading zeros',
        hint: quoted,
      })
    else if (!Number.isFinite(value))
      this.find({ code: 'ambiguous-number', offset, message: `${source} is not a number that can be used here`, hint: quoted })
    else if (/^[-+]?\d+$/.test(source) && !Number.isSafeInteger(value))
      this.find({ code: 'ambiguous-number', offset, message: `${source} is too large to be kept exactly`, hint: quoted })
    return value
  }

  #anchor(name: string, node: Node): void {
    const first = this.#anchors.get(name)
    if (first === node) return
    if (first !== undefined) {
      const offset = this.#anchorOffset(name, node)
      this.find({
        code: 'duplicate-anchor',
        offset,
        message: `the anchor &${name} is defined twice`,
        hint: `${this.#lineOf(first.range?.[0] ?? 0)} defines it first; give one of them another name`,
      })
      return
    }
    this.#anchors.set(name, node)
  }

  /** A node's range begins after its anchor. */
  #anchorOffset(name: string, node: Node): number {
    const start = node.range?.[0] ?? 0
    const before = this.#text.lastIndexOf(`&${name}`, start)
    return before < 0 ? start : before
  }

  #alias(alias: Alias): unknown {
    const offset = alias.range?.[0] ?? 0
    const target = this.#anchors.get(alias.source)
    if (target === undefined) {
      this.find({
        code: 'unknown-anchor',
        offset,
        message: `the alias *${alias.source} has no anchor before it`,
        expected: `&${alias.source} at an earlier value`,
        hint: `a text that begins with * needs quotes: "*${alias.source}"`,
      })
      return undefined
    }
    if (this.#open.has(target)) {
      this.find({ code: 'alias-loop', offset, message: `the alias *${alias.source} stands inside of what it stands for` })
      return undefined
    }
    this.targets.set(alias, target)
    const before = this.#aliased
    this.#aliased += this.#sizeOf(target)
    if (before <= maxAliasedValues && this.#aliased > maxAliasedValues)
      this.find({
        code: 'too-large',
        offset,
        message: `the aliases up to here stand for more than ${maxAliasedValues} values`,
        hint: 'write the values out, or use fewer aliases of aliases',
      })
    return this.#aliased > maxAliasedValues ? undefined : this.#values.get(target)
  }

  #sizeOf(node: Node): number {
    const target = isAlias(node) ? this.targets.get(node) : node
    return target === undefined ? 1 : (this.#sizes.get(target) ?? 1)
  }

  #lineOf(offset: number): string {
    return `line ${this.#text.slice(0, offset).split('\n').length}`
  }
}

export function keyNode(pair: Pair): Node | undefined {
  return isNode(pair.key) ? pair.key : undefined
}

export function keyText(node: Scalar): string | undefined {
  if (typeof node.value === 'string') return node.value
  return node.value === null ? undefined : (node.source ?? JSON.stringify(node.value))
}

export function isMergeKey(pair: Pair): boolean {
  return isScalar(pair.key) && pair.key.type === 'PLAIN' && pair.key.source === '<<'
}
