import { isUtf8 } from 'node:buffer'
import { runeBytes } from './go-quote.ts'

// Everything that Go's encoding/json escapes in strings; it also protects HTML and JavaScript.
const special = /["\\<>&\p{Cc}\u2028\u2029]/gu
const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
}

/** A string as Go's encoding/json writes it (since Go 1.22, which shortened `\b` and `\f`), with its quotes. */
export function goJsonString(text: string): string {
  return `"${escape(text)}"`
}

/** As goJsonString, for text that may not be UTF-8: each byte that is not becomes `\ufffd`, as in Go. */
export function goJsonBytes(text: Uint8Array): string {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.length)
  if (isUtf8(bytes)) return goJsonString(bytes.toString('utf8'))
  let escaped = ''
  for (let at = 0; at < bytes.length;) {
    const size = runeBytes(bytes, at)
    escaped += size === 0 ? '\\ufffd' : escape(bytes.toString('utf8', at, at + size))
    at += size || 1
  }
  return `"${escaped}"`
}

function escape(text: string): string {
  return text.replace(special, (found) =>
    found >= '\x7f' && found <= '\x9f' ? found : (short[found] ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
}
