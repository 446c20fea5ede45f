import fc from 'fast-check'
import { isHoldfastError } from '../../src/kernel/index.ts'

/** Values that readers get wrong, as JSON text: what no type expects, numbers at the edges, depth, length. */
const nasty = [
  ...'null true "" [] {} [null] {"a":{}} -1 0 1.5 1e999 -0 4294967295 4294967296 9007199254740993 18446744073709551615'.split(
    ' ',
  ),
  ...'18446744073709551616 99999999999999999999999 "\\u0000" "\\ud800" "../x" "\\\\x" "\\\\xff" "2026-13-45T99:99:99Z"'.split(
    ' ',
  ),
  '"9999-12-31T23:59:59-23:59"',
  `"${'0'.repeat(64)}"`,
  `"${'x'.repeat(10_000)}"`,
  `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
]

type Path = readonly (string | number)[]

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...path, key]))]
}

/** The JSON text with what stands at a path replaced, or taken out. */
function replaced(value: unknown, path: Path, by: string | undefined): string {
  const [key, ...rest] = path
  if (key === undefined) return by ?? ''
  const inner = ([name, item]: [string, unknown]): string[] => {
    const text =
      name === String(key) ? (rest.length === 0 && by === undefined ? undefined : replaced(item, rest, by)) : JSON.stringify(item)
    return text === undefined ? [] : [Array.isArray(value) ? text : `${JSON.stringify(name)}:${text}`]
  }
  const items = Object.entries(value as object).flatMap((entry) => inner(entry))
  return Array.isArray(value) ? `[${items.join(',')}]` : `{${items.join(',')}}`
}

/** JSON in which one value is another or gone, some bytes are others, or that is something else altogether. */
export function mutatedJson(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  const value: unknown = JSON.parse(Buffer.from(valid).toString('utf8'))
  const path = fc.constantFrom(...pathsOf(value))
  const by = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...nasty) }, fc.json({ maxDepth: 3 }), fc.constant(undefined))
  const text = fc.tuple(path, by).map(([path, by]) => Buffer.from(replaced(value, path, by)))
  return fc
    .oneof(
      { weight: 4, arbitrary: text },
      mutatedBytes(valid),
      fc.json().map((text) => Buffer.from(text)),
    )
    .map(shown)
}

/** Bytes with some of them other ones, gone, twice there, or random altogether. */
export function mutatedBytes(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.nat(Math.max(0, valid.length - 1))
  const flipped = fc.tuple(place, fc.integer({ min: 1, max: 255 })).map(([at, bits]) => {
    const copy = Uint8Array.from(valid)
    copy[at] = (copy[at] ?? 0) ^ bits
    return copy
  })
  const cut = place.map((at) => valid.slice(0, at))
  const spliced = fc
    .tuple(place, place, fc.uint8Array({ maxLength: 64 }))
    .map(([from, to, bytes]) => Buffer.concat([valid.subarray(0, from), bytes, valid.subarray(to)]))
  return fc.oneof({ weight: 3, arbitrary: flipped }, cut, spliced, fc.uint8Array({ maxLength: 2 * valid.length })).map(shown)
}

/** What failed is told as text, and not all of it when it is long. */
function shown(bytes: Uint8Array): Uint8Array {
  const text = () => `${bytes.length} bytes: ${JSON.stringify(Buffer.from(bytes).toString('latin1').slice(0, 400))}`
  return Object.defineProperty(bytes, fc.toStringMethod, { value: text, configurable: true })
}

/** The error in words for people that it ended with, or `nothing`. Throws what only a defect of the program throws. */
export async function refusalOf(work: () => unknown): Promise<{ readonly code: string; readonly message: string }> {
  try {
    await work()
    return { code: 'nothing', message: '' }
  } catch (error) {
    if (isHoldfastError(error)) return error
    throw error
  }
}
