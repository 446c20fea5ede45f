import { isIPv4, isIPv6 } from 'node:net'
import { encodeName, plainName } from './name.ts'
import { Reader, types } from './message.ts'

/** The types whose records are written. */
export const recordTypes = ['A', 'AAAA', 'CNAME', 'TXT'] as const

export type RecordType = (typeof recordTypes)[number]

/** What is wrong with a value of that type, in words; undefined for nothing. */
export function valueProblem(type: RecordType, value: string): string | undefined {
  if (type === 'A') return isIPv4(value) ? undefined : 'is not an IPv4 address'
  if (type === 'AAAA') return isIPv6(value) && !value.includes('%') ? undefined : 'is not an IPv6 address'
  if (type === 'CNAME') return plainName.test(value) ? undefined : 'is not a host name'
  return Buffer.byteLength(value) <= 32_000 ? undefined : 'is too long for a record'
}

/** The data of a record on the wire. A text longer than 255 bytes becomes several strings, which readers put together again. */
export function encodeValue(type: RecordType, value: string): Buffer {
  if (type === 'A') return Buffer.from(value.split('.').map(Number))
  if (type === 'AAAA') return ipv6Bytes(value)
  if (type === 'CNAME') return encodeName(value)
  const bytes = Buffer.from(value)
  const strings = Array.from({ length: Math.max(1, Math.ceil(bytes.length / 255)) }, (_, index) =>
    bytes.subarray(255 * index, 255 * (index + 1)),
  )
  return Buffer.concat(strings.flatMap((part) => [Buffer.of(part.length), part]))
}

/** For people, and to compare with what a catalog says. */
export function valueText(type: number, data: Uint8Array): string {
  if (type === types.A && data.length === 4) return data.join('.')
  if (type === types.AAAA && data.length === 16) return ipv6Text(data)
  if (type === types.CNAME || type === types.NS) return new Reader(data).name()
  if (type !== types.TXT) return Buffer.from(data).toString('hex')
  const reader = new Reader(data)
  const parts: Buffer[] = []
  while (reader.offset < data.length) parts.push(reader.take(reader.take(1).readUInt8()))
  return Buffer.concat(parts).toString()
}

/** The text that stands for a value, however it is written: `2001:DB8:0::1` and `2001:db8::1` are the same. */
export function normalValue(type: RecordType, value: string): string {
  const text = valueText(types[type], encodeValue(type, value))
  return type === 'CNAME' ? text.toLowerCase() : text
}

function ipv6Bytes(address: string): Buffer {
  // The URL parser knows all forms, also those with an IPv4 address at their end.
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = text.split('::')
  const groups = (part: string | undefined) => (part === undefined || part === '' ? [] : part.split(':'))
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill('0')
  return Buffer.from([...groups(head), ...zeros, ...groups(tail)].map((group) => group.padStart(4, '0')).join(''), 'hex')
}

function ipv6Text(data: Uint8Array): string {
  const groups = Buffer.from(data).toString('hex').match(/.{4}/g) ?? []
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}
