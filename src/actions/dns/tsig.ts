import { createHmac, timingSafeEqual } from 'node:crypto'
import { classes, encodeName, encodeRecord, headerBytes, isSameName, Reader, type ReadMessage, types } from '../../dns/index.ts'

/** Signed DNS messages: RFC 8945. */

export const tsigAlgorithms = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'] as const

export interface TsigKey {
  readonly name: string
  readonly algorithm: (typeof tsigAlgorithms)[number]
  readonly secret: Uint8Array
}

/** By how much the clocks of both sides may differ; the RFC recommends it (section 10). */
const fudgeSeconds = 300

export interface SignedMessage {
  readonly bytes: Buffer
  /** The answer's signature covers it. */
  readonly mac: Uint8Array
}

export function signMessage(bytes: Uint8Array, key: TsigKey, nowMs: number): SignedMessage {
  const timers = timersOf(Math.floor(nowMs / 1000), fudgeSeconds)
  const mac = digest(key, [bytes, ...variables(key, timers)])
  const id = Buffer.from(bytes.subarray(0, 2))
  const data = Buffer.concat([encodeName(key.algorithm), timers, uint16(mac.length), mac, id, uint16(0), uint16(0)])
  const record = encodeRecord({ name: key.name, type: types.TSIG, class: classes.ANY, ttl: 0, data })
  const signed = Buffer.concat([bytes, record])
  signed.writeUInt16BE(signed.readUInt16BE(10) + 1, 10)
  return { bytes: signed, mac }
}

/**
 * What the signature of an answer says. `error` is TSIG's own, which comes unsigned when the server cannot sign (BADKEY, BADSIG).
 * `serverTimeMs` comes with BADTIME.
 */
export type Verified =
  | { readonly signed: true; readonly error: number; readonly serverTimeMs?: number }
  | { readonly signed: false; readonly error: number; readonly because: string }

export function verifyAnswer(
  bytes: Uint8Array,
  message: ReadMessage,
  key: TsigKey,
  requestMac: Uint8Array,
  nowMs: number,
): Verified {
  const record = message.additional.at(-1)
  if (record?.type !== types.TSIG) return { signed: false, error: 0, because: 'it is not signed' }
  const reader = new Reader(record.data)
  const algorithm = reader.name()
  const timers = reader.take(8)
  const [seconds, fudge] = [timers.readUIntBE(0, 6), timers.readUInt16BE(6)]
  const mac = reader.take(reader.uint16())
  const originalId = reader.take(2)
  const error = reader.uint16()
  const other = reader.take(reader.uint16())
  const unverified = (because: string): Verified => ({ signed: false, error, because })
  if (!isSameName(record.name, key.name) || !isSameName(algorithm, key.algorithm))
    return unverified('it is signed with another key')
  // As it was when it was signed: with its own id, and without the signature.
  const unsigned = Buffer.from(bytes.subarray(0, message.lastRecordStart))
  originalId.copy(unsigned, 0)
  unsigned.writeUInt16BE(message.additional.length - 1, headerBytes - 2)
  const expected = digest(key, [uint16(requestMac.length), requestMac, unsigned, ...variables(key, timers, error, other)])
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) return unverified('its signature does not fit')
  const serverTimeMs = other.length === 6 ? { serverTimeMs: other.readUIntBE(0, 6) * 1000 } : {}
  if (error === 0 && Math.abs(nowMs / 1000 - seconds) > fudge) return unverified('it was signed at another time')
  return { signed: true, error, ...serverTimeMs }
}

/** When it is signed, and how far the clocks may be apart. */
function timersOf(seconds: number, fudge: number): Buffer {
  const timers = Buffer.alloc(8)
  timers.writeUIntBE(seconds, 0, 6)
  timers.writeUInt16BE(fudge, 6)
  return timers
}

/** The TSIG variables (4.3.3), names in canonical form. */
function variables(key: TsigKey, timers: Uint8Array, error = 0, other: Uint8Array = new Uint8Array()): Uint8Array[] {
  const names = [encodeName(key.name.toLowerCase()), uint16(classes.ANY), Buffer.alloc(4), encodeName(key.algorithm)]
  return [...names, timers, uint16(error), uint16(other.length), other]
}

function digest({ algorithm, secret }: TsigKey, parts: readonly Uint8Array[]): Buffer {
  const hmac = createHmac(algorithm.slice('hmac-'.length), secret)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}
