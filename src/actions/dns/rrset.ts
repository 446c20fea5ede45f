import { z } from 'zod'
import { valueText } from '../../dns/index.ts'

/** All records of one name and type. */
export interface Rrset {
  /** Seconds. */
  readonly ttl: number
  readonly records: readonly Uint8Array[]
}

/** As a step notes it, byte for byte; null: there was none. */
export const notedRrset = z.strictObject({ ttl: z.int(), records: z.array(z.hex()) }).nullable()

export type NotedRrset = z.infer<typeof notedRrset>

export function asNoted(rrset: Rrset | undefined): NotedRrset {
  return rrset === undefined ? null : { ttl: rrset.ttl, records: rrset.records.map((data) => Buffer.from(data).toString('hex')) }
}

export function fromNoted(noted: NotedRrset): Rrset | undefined {
  return noted === null ? undefined : { ttl: noted.ttl, records: noted.records.map((hex) => Buffer.from(hex, 'hex')) }
}

/** Their order means nothing. Names within them are compared as they are written. */
export function isSameRrset(a: Rrset | undefined, b: Rrset | undefined): boolean {
  const sorted = (rrset: Rrset | undefined) => JSON.stringify([rrset?.ttl, asNoted(rrset)?.records.toSorted()])
  return sorted(a) === sorted(b)
}

export function valuesOf(type: number, rrset: Rrset | undefined): string[] {
  return rrset?.records.map((data) => valueText(type, data)).toSorted() ?? []
}

/** `10.0.0.1, 10.0.0.2 (60 s)`, or `nothing`. */
export function rrsetText(type: number, rrset: Rrset | undefined): string {
  return rrset === undefined ? 'nothing' : `${valuesOf(type, rrset).join(', ')} (${rrset.ttl} s)`
}
