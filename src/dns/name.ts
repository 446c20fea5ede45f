import { HoldfastError } from '../kernel/index.ts'

/**
 * Domain names as text, always absolute (`api.example.com.`), in the presentation format of RFC 1035, section 5.1: a backslash quotes the
 * next character, or gives a byte as three decimal digits.
 */

/** A name from a catalog: hosts, services, wildcards. Other names exist, but are more likely a slip. */
export const plainName =
  /^(?:\*\.)?(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?$/

export function absolute(name: string): string {
  return name.endsWith('.') ? name : `${name}.`
}

/** Names differ in more than the case of ASCII letters (RFC 4343). */
export function isSameName(a: string, b: string): boolean {
  return absolute(a).toLowerCase() === absolute(b).toLowerCase()
}

export function isWithin(name: string, zone: string): boolean {
  return (
    isSameName(name, zone) ||
    absolute(name)
      .toLowerCase()
      .endsWith(`.${absolute(zone).toLowerCase()}`)
  )
}

/** Uncompressed wire format (RFC 1035, 3.1). Throws `usage` for what is no name. */
export function encodeName(name: string): Buffer {
  const labels = labelsOf(name)
  const parts = labels.flatMap((label) => [Buffer.of(label.length), label])
  const bytes = Buffer.concat([...parts, Buffer.of(0)])
  if (labels.some(({ length }) => length === 0 || length > 63) || bytes.length > 255) {
    throw new HoldfastError('usage', { message: `${JSON.stringify(name)} is not a domain name` })
  }
  return bytes
}

function labelsOf(name: string): Buffer[] {
  const text = name.endsWith('.') ? name.slice(0, -1) : name
  if (text === '') return []
  const labels: number[][] = [[]]
  for (const [piece, digits, quoted] of text.matchAll(/\\(\d{3})|\\(.)|./gsu)) {
    if (piece === '.') labels.push([])
    else if (digits !== undefined) labels.at(-1)?.push(Number(digits) & 0xff)
    else labels.at(-1)?.push(...Buffer.from(quoted ?? piece))
  }
  return labels.map((label) => Buffer.from(label))
}

export function labelText(label: Uint8Array): string {
  return [...label]
    .map((byte) => {
      const char = String.fromCharCode(byte)
      if (byte <= 0x20 || byte >= 0x7f) return `\\${String(byte).padStart(3, '0')}`
      return /[.\\"();@$]/.test(char) ? `\\${char}` : char
    })
    .join('')
}
