import { isUtf8 } from 'node:buffer'

/** What Go's strconv.IsPrint accepts: letters, marks, numbers, punctuation, symbols, and of spaces only U+0020. */
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u
const plainAscii = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/
const short: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}
const unescaped: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92, '"': 34 }

/**
 * A name's bytes as text, as Go's strconv.Quote writes them, without the outer quotes: how trees carry names of any bytes.
 * Bytes that are not UTF-8 become `\xNN`, runes that cannot be shown `\uNNNN` or `\UNNNNNNNN`.
 */
export function goQuote(name: Uint8Array): string {
  const bytes = Buffer.from(name.buffer, name.byteOffset, name.length)
  if (isUtf8(bytes)) {
    const text = bytes.toString('utf8')
    return plainAscii.test(text) ? text : quoteRunes(text)
  }
  let quoted = ''
  for (let at = 0; at < bytes.length;) {
    const size = runeBytes(bytes, at)
    quoted += size === 0 ? `\\x${hex(bytes[at] ?? 0, 2)}` : quoteRunes(bytes.toString('utf8', at, at + size))
    at += size || 1
  }
  return quoted
}

function quoteRunes(text: string): string {
  let quoted = ''
  for (const rune of text) quoted += short[rune] ?? (printable.test(rune) ? rune : escapeRune(rune.codePointAt(0) ?? 0))
  return quoted
}

function escapeRune(code: number): string {
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`
  return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`
}

/** Bytes of the UTF-8 sequence that begins here; 0 when none does. Overlong forms and surrogates are none. */
export function runeBytes(bytes: Buffer, at: number): number {
  const lead = bytes[at] ?? 0
  const size = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2
  return at + size <= bytes.length && isUtf8(bytes.subarray(at, at + size)) ? size : 0
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

/** The bytes of a quoted name; undefined when it is not what Go's Unquote would read. */
export function goUnquote(text: string): Buffer | undefined {
  if (!text.includes('\\')) return text.includes('"') || text.includes('\n') ? undefined : Buffer.from(text)
  const parts: Buffer[] = []
  let at = 0
  while (at < text.length) {
    const next = text.indexOf('\\', at)
    const end = next === -1 ? text.length : next
    const raw = text.slice(at, end)
    if (raw.includes('"') || raw.includes('\n')) return undefined
    parts.push(Buffer.from(raw))
    if (next === -1) break
    const escape = readEscape(text, next + 1)
    if (escape === undefined) return undefined
    parts.push(escape.bytes)
    at = escape.end
  }
  return Buffer.concat(parts)
}

function readEscape(text: string, at: number): { bytes: Buffer; end: number } | undefined {
  const kind = text[at] ?? ''
  const simple = unescaped[kind]
  if (simple !== undefined) return { bytes: Buffer.of(simple), end: at + 1 }
  const octal = /^[0-7]{3}/.exec(text.slice(at, at + 3))
  if (octal) {
    const value = Number.parseInt(octal[0], 8)
    return value > 255 ? undefined : { bytes: Buffer.of(value), end: at + 3 }
  }
  const digits = { x: 2, u: 4, U: 8 }[kind]
  if (digits === undefined) return undefined
  const code = text.slice(at + 1, at + 1 + digits)
  if (code.length !== digits || !/^[0-9a-fA-F]+$/.test(code)) return undefined
  const value = Number.parseInt(code, 16)
  const end = at + 1 + digits
  if (kind === 'x') return { bytes: Buffer.of(value), end }
  if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return undefined
  return { bytes: Buffer.from(String.fromCodePoint(value)), end }
}
