import { isAlias, isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml'
import type { Document, Node, Pair, YAMLMap } from 'yaml'
import type { Finding, Path } from './finding.ts'
import { isMergeKey, keyNode, keyText, YamlReader } from './yaml-reader.ts'

/** A YAML text as plain values, with the way back from each value to its place. */
export interface YamlSource {
  readonly value: unknown
  readonly findings: readonly Finding[]
  /** False when the text is not YAML: `value` is then not worth looking at. */
  readonly readable: boolean
  /** Offset of the key (or list item) at this path; of the nearest place above it that exists. */
  keyOffset(path: Path): number
  /** Offset of the value at this path; of its key where the value is empty. */
  valueOffset(path: Path): number
  /** What was written for a single value, quotes and all. */
  written(path: Path): { readonly text: string; readonly offset: number } | undefined
  lineColumn(offset: number): { readonly line: number; readonly column: number }
}

/**
 * Reads one YAML 1.2 document (core schema: `no` is a text, `017` is refused) with anchors and merge keys. Everything that is wrong is a
 * finding; nothing throws.
 */
export function readYaml(text: string): YamlSource {
  const reader = new YamlReader(text)
  let document: Document | undefined
  try {
    document = parseDocument(text, {
      prettyErrors: false,
      uniqueKeys: false,
      strict: true,
      logLevel: 'error',
    })
  } catch (error) {
    // The parser is recursive: only absurd nesting gets here.
    reader.find({
      code: 'too-large',
      offset: 0,
      message: `it cannot be read: ${error instanceof Error ? error.message : 'unknown'}`,
    })
  }
  let readable = document !== undefined
  let value: unknown
  if (document !== undefined) {
    for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
      readable &&= code === 'TAG_RESOLVE_FAILED'
      reader.find({ code: 'syntax', offset: pos[0], ...wordSyntaxError(code, message) })
    }
    if (document.directives?.yaml.version === '1.1')
      reader.find({
        code: 'syntax',
        offset: Math.max(0, text.indexOf('%YAML')),
        message: 'this is declared to be YAML 1.1, where no and on mean false and true',
        expected: 'YAML 1.2',
        hint: 'remove the %YAML line',
      })
    if (readable && document.contents !== null) value = reader.read(document.contents, 0)
  }
  const root = document?.contents ?? undefined
  return {
    value,
    findings: reader.findings,
    readable,
    keyOffset: (path) => offsetOf(reader, root, path, 'key'),
    valueOffset: (path) => offsetOf(reader, root, path, 'value'),
    written(path) {
      const node = nodeAt(reader, root, path).node
      const target = isAlias(node) ? reader.targets.get(node) : node
      if (!isScalar(target) || !target.range) return undefined
      return { text: text.slice(target.range[0], target.range[1]), offset: target.range[0] }
    },
    lineColumn: lineColumnsOf(text),
  }
}

/** The place of an offset, counted from 1. The parser's own line counter does not count lines within a text that does not end. */
export function lineColumnsOf(text: string): YamlSource['lineColumn'] {
  const lineStarts = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)]
  return (offset) => {
    const line = lastAtOrBefore(lineStarts, offset)
    return { line: line + 1, column: offset - (lineStarts[line] ?? 0) + 1 }
  }
}

/** Where in an ascending list the last value that is not above `limit` stands; the first one is never above it. */
function lastAtOrBefore(ascending: readonly number[], limit: number): number {
  let [low, high] = [0, ascending.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((ascending[middle] ?? 0) <= limit) low = middle
    else high = middle - 1
  }
  return low
}

interface Found {
  readonly pair: Pair | undefined
  readonly node: Node | undefined
  /** How many parts of the path exist. */
  readonly depth: number
}

function nodeAt(reader: YamlReader, root: Node | undefined, path: Path): Found {
  let found: Found = { pair: undefined, node: root, depth: 0 }
  for (const [index, part] of path.entries()) {
    const at = isAlias(found.node) ? reader.targets.get(found.node) : found.node
    if (isMap(at)) {
      const pair = findPair(reader, at, String(part))
      if (pair === undefined) return found
      found = { pair, node: isNode(pair.value) ? pair.value : undefined, depth: index + 1 }
    } else if (isSeq(at)) {
      const item = at.items[Number(part)]
      if (!isNode(item)) return found
      found = { pair: undefined, node: item, depth: index + 1 }
    } else return found
  }
  return found
}

function findPair(reader: YamlReader, map: YAMLMap, key: string): Pair | undefined {
  const known = reader.pairs.get(map)
  if (known !== undefined) return known.get(key)
  const pairs = new Map<string, Pair>()
  // Registered before the merged ones: a map that merges itself ends here.
  reader.pairs.set(map, pairs)
  const resolve = (node: unknown) => (isAlias(node) ? reader.targets.get(node) : node)
  const merged: unknown[] = []
  for (const pair of map.items) {
    const value = resolve(pair.value)
    if (isMergeKey(pair)) merged.push(...(isSeq(value) ? value.items.map(resolve) : [value]))
    const node = resolve(pair.key)
    const name = isScalar(node) ? keyText(node) : undefined
    if (name !== undefined && !pairs.has(name)) pairs.set(name, pair)
  }
  for (const source of merged.filter((node) => isMap(node))) {
    findPair(reader, source, key)
    for (const [name, pair] of reader.pairs.get(source) ?? []) if (!pairs.has(name)) pairs.set(name, pair)
  }
  return pairs.get(key)
}

function offsetOf(reader: YamlReader, root: Node | undefined, path: Path, which: 'key' | 'value'): number {
  const { pair, node, depth } = nodeAt(reader, root, path)
  const key = pair === undefined ? undefined : keyNode(pair)
  const empty = isScalar(node) && (node.source === '' || node.source === undefined) && node.value === null
  const place = key !== undefined && (which === 'key' || depth < path.length || node === undefined || empty) ? key : node
  return place?.range?.[0] ?? 0
}

/** The parser's words for its most frequent errors, in ours. */
function wordSyntaxError(code: string, message: string): { message: string; expected?: string; hint?: string } {
  switch (code) {
    case 'TAB_AS_INDENT':
      return { message: 'a tab indents this line', expected: 'spaces: YAML knows no tabs as indentation' }
    case 'MULTIPLE_DOCS':
      return {
        message: 'a second document begins here',
        expected: 'one document in a catalog',
        hint: 'remove this line, or move the rest into a file of its own',
      }
    case 'TAG_RESOLVE_FAILED':
      return {
        message: message.replace(/^Unresolved tag: /, 'unknown tag '),
        expected: 'no tag',
        hint: 'a text that begins with ! needs quotes',
      }
    case 'BLOCK_AS_IMPLICIT_KEY':
      return {
        message: 'a key stands within a value on one line',
        expected: 'one "key: value" on a line',
        hint: 'put a text that contains ": " into quotes',
      }
    case 'BAD_SCALAR_START':
      return { message: lowerFirst(message), hint: 'put the text into quotes' }
    default:
      return { message: lowerFirst(message) }
  }
}

function lowerFirst(message: string): string {
  return message.slice(0, 1).toLowerCase() + message.slice(1)
}
