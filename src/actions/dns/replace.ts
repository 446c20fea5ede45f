import { HoldfastError } from '../../kernel/index.ts'
import { absolute, classes, encodeValue, rcodes, type RecordType, type ResourceRecord, types } from '../../dns/index.ts'
import { readStanding, sendUpdate, type Authority, type Standing } from './authority.ts'
import type { Rrset } from './rrset.ts'

export interface RecordPlace {
  readonly name: string
  readonly type: RecordType
}

export type Looked = Standing & {
  /** For an alias that is to be: the name holds other records, beside which it cannot stand. */
  readonly taken?: true
}

/**
 * What stands at a place, after everything that the server was sent before. Shows that the key may change it, too: an update is sent whose
 * prerequisite cannot hold, and which would delete a record that is not there. Throws where the key may not.
 */
export async function look(authority: Authority, place: RecordPlace, signal: AbortSignal): Promise<Looked> {
  const seen = await readStanding(authority, place.name, types[place.type], signal)
  const wantsFreeName = place.type === 'CNAME' && seen.rrset === undefined
  const prerequisite = wantsFreeName ? nameNotInUse(place) : seen.rrset === undefined ? exists(place) : isAbsent(place)
  const nothing = record(place, classes.NONE, 0, foreignValue(place.type, seen.rrset))
  const rcode = await sendUpdate(authority, { prerequisites: [prerequisite], updates: [nothing] }, signal)
  const standing = await readStanding(authority, place.name, types[place.type], signal)
  if (wantsFreeName && rcode === rcodes.YXDOMAIN) return { ...standing, taken: true }
  // It is answered, and yet not there: a wildcard answers in its place.
  if (seen.rrset !== undefined && rcode === rcodes.NOERROR) return { rrset: undefined }
  return standing
}

/**
 * Puts `to` where `from` stands, in one update that does nothing unless exactly that stands there. False: something else did. Throws
 * `outcome-unknown` when it was sent and nobody knows what became of it.
 */
export async function replace(
  authority: Authority,
  place: RecordPlace,
  from: Rrset | undefined,
  to: Rrset | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const prerequisites = from === undefined ? [isAbsent(place)] : from.records.map((data) => record(place, classes.IN, 0, data))
  const updates = [
    record(place, classes.ANY, 0, new Uint8Array()),
    ...(to?.records.map((data) => record(place, classes.IN, to.ttl, data)) ?? []),
  ]
  return (await sendUpdate(authority, { prerequisites, updates }, signal)) === rcodes.NOERROR
}

/** An alias stands alone, and a server ignores what would be beside it (RFC 2136, 3.4.2.2): that would look like success. */
export function assertFree({ name, type }: RecordPlace, { alias, taken }: Looked): void {
  if (alias === undefined && taken !== true) return
  throw new HoldfastError('command-failed', {
    message:
      alias === undefined
        ? `${absolute(name)} has records of other types, beside which no CNAME can stand`
        : `${absolute(name)} is an alias of ${alias}, beside which no ${type} can stand`,
    hint: alias === undefined ? 'change those, or choose another name' : `change the CNAME, or ${alias} itself`,
  })
}

// Prerequisites of RFC 2136, 2.4.

function exists(place: RecordPlace): ResourceRecord {
  return record(place, classes.ANY, 0, new Uint8Array())
}

function isAbsent(place: RecordPlace): ResourceRecord {
  return record(place, classes.NONE, 0, new Uint8Array())
}

function nameNotInUse({ name }: RecordPlace): ResourceRecord {
  return { name, type: types.ANY, class: classes.NONE, ttl: 0, data: new Uint8Array() }
}

function record({ name, type }: RecordPlace, klass: number, ttl: number, data: Uint8Array): ResourceRecord {
  return { name, type: types[type], class: klass, ttl, data }
}

/** A value that is not there: of addresses and names for documentation and tests (RFC 5737, 3849, 6761). */
function foreignValue(type: RecordType, present: Rrset | undefined): Uint8Array {
  const values = { A: '192.0.2.', AAAA: '2001:db8::', CNAME: 'holdfast.invalid.', TXT: 'holdfast ' }
  const candidates = Array.from({ length: (present?.records.length ?? 0) + 1 }, (_, index) =>
    encodeValue(type, type === 'CNAME' ? `${index}.${values[type]}` : `${values[type]}${(index % 250) + 1}`),
  )
  return (
    candidates.find((candidate) => present?.records.every((data) => Buffer.compare(data, candidate) !== 0) !== false) ??
    new Uint8Array()
  )
}
