import { z } from 'zod'
import { canonicalJson, HoldfastError, sha256Hex, type Json } from '../kernel/index.ts'
import type { Signer } from './signing-key.ts'
import type { LedgerHead } from './head-file.ts'
import { evidenceSchemas, isEvidenceKind, type EvidenceBody, type EvidenceKind } from './evidence.ts'

/** The `prev` of the first record. */
export const genesis = '0'.repeat(64)

const publicKey = z.string().regex(/^ed25519:[A-Za-z0-9_-]{43}$/)
const hash = z.string().regex(/^[0-9a-f]{64}$/)

/** A record as it is stored: canonical JSON of this, and nothing else (docs/formats/ledger.md). */
const envelope = z.looseObject({
  seq: z.int().positive(),
  prev: hash,
  id: z.string().min(1),
  time: z.iso.datetime({ offset: true }),
  kind: z.string().min(1),
  service: z.string().optional(),
  host: z.string(),
  program: z.string(),
  catalogHash: hash.optional(),
  // It was JSON: there is nothing else in it.
  body: z.record(z.string(), z.unknown()),
  // Of a signed record.
  ledger: z.string().min(1).optional(),
  seen: z.record(z.string(), z.object({ seq: z.int().positive(), hash })).optional(),
  writer: z.object({ key: publicKey, n: z.int().positive(), prev: hash }).optional(),
  signature: z.string().min(1).optional(),
})

/** The chain of one writer in a ledger, within the ledger's own. */
export interface WriterLink {
  /** The public key that the record is signed with (`ed25519:…`). */
  readonly key: string
  /** Which of this writer's records in this ledger it is, from 1. */
  readonly n: number
  /** Hash of this writer's record before, wherever it stands; 64 zeros in the first. */
  readonly prev: string
}

interface RecordHead {
  readonly seq: number
  /** SHA-256 of `canonical`: the next record's `prev`. */
  readonly hash: string
  /** Hash of the record before. */
  readonly prev: string
  /** Random, by the writer: tells its own record from one with the same content. */
  readonly id: string
  /** By the writer's wall clock. */
  readonly time: Date
  readonly service: string | undefined
  readonly host: string
  /** Name and version of the program that wrote it. */
  readonly program: string
  /** Of the catalog in force then. */
  readonly catalogHash: string | undefined
  /** The exact text that is hashed and stored. */
  readonly canonical: string
  /** Of a signed record: the id of the ledger that it was written for, which is its repository's. */
  readonly ledger: string | undefined
  /** Of a signed record: the newest records of other ledgers that its writer knew, by the ids of those. */
  readonly seen: Readonly<Record<string, LedgerHead>>
  readonly writer: WriterLink | undefined
  /** Ed25519, over `signedText(canonical, signature)`. */
  readonly signature: string | undefined
}

/** A record of a kind, or of a shape, that a newer program wrote: kept and verified, never counted as evidence. */
interface ForeignRecord extends RecordHead {
  readonly kind: 'unknown'
  readonly originalKind: string
  readonly body: { readonly [key: string]: Json }
}

export type EvidenceRecord<Kind extends EvidenceKind = EvidenceKind> = {
  [K in Kind]: RecordHead & { readonly kind: K; readonly body: EvidenceBody<K> }
}[Kind]

export type LedgerRecord = EvidenceRecord | ForeignRecord

export interface NewRecord {
  readonly seq: number
  readonly prev: string
  readonly id: string
  readonly time: Date
  readonly kind: EvidenceKind
  readonly service?: string | undefined
  readonly host: string
  readonly program: string
  readonly catalogHash?: string | undefined
  readonly body: unknown
  readonly ledger?: string | undefined
  readonly seen?: Readonly<Record<string, LedgerHead>> | undefined
  readonly writer?: WriterLink | undefined
}

/**
 * The text of a record, signed when there is a writer. Throws `internal` when the body does not fit its kind: a defect of the caller.
 */
export function encodeRecord(record: NewRecord, signer?: Signer): string {
  const { seq, prev, id, time, kind, service, host, program, catalogHash, ledger, writer } = record
  const body = evidenceSchemas[kind].safeParse(record.body)
  if (!body.success) {
    throw new HoldfastError('internal', {
      message: `a ${kind} record does not fit its schema: ${z.prettifyError(body.error)}`,
      cause: body.error,
    })
  }
  const seen = record.seen && Object.keys(record.seen).length > 0 ? record.seen : undefined
  const content = { seq, prev, id, time: time.toISOString(), kind, service, host, program, catalogHash, ledger, seen, writer }
  const unsigned = { ...content, body: body.data }
  if (signer === undefined) return canonicalJson(unsigned)
  return canonicalJson({ ...unsigned, signature: signer.sign(signedText(canonicalJson(unsigned))) })
}

/**
 * What a signature is over: this prefix, which no other use of the key has, and the record's text without its member `signature`. Only the
 * first place where that stands is cut out: a text with a second one is not what was signed.
 */
export function signedText(canonical: string, signature?: string): string {
  const text = signature === undefined ? canonical : canonical.replace(`,"signature":${JSON.stringify(signature)}`, '')
  return `holdfast-ledger-record\n${text}`
}

/** What is wrong with stored bytes that are not a record. */
export type NotARecord = 'not-json' | 'not-canonical' | 'not-a-record'

/** Reads a stored record, or says why it is none. */
export function decodeRecord(bytes: Uint8Array): LedgerRecord | NotARecord {
  let canonical: string
  let value: unknown
  try {
    canonical = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(canonical)
  } catch {
    return 'not-json'
  }
  const parsed = envelope.safeParse(value)
  if (!parsed.success) return 'not-a-record'
  // Only one text stands for one record; anything else was not written by a ledger.
  if (canonicalJson(value) !== canonical) return 'not-canonical'
  return recordOf(parsed.data, canonical, sha256Hex(canonical))
}

/**
 * Reads a text that decodeRecord read before, and that had this hash; undefined when it is another one now. With that hash, its envelope is what it was.
 * `isOfKind`: its body was found to be one of its kind, too, which with that hash it still is; it then keeps members that this version does not know.
 */
export function decodeKnown(canonical: string, hash: string, isOfKind: boolean): LedgerRecord | undefined {
  if (sha256Hex(canonical) !== hash) return undefined
  return recordOf(JSON.parse(canonical) as z.output<typeof envelope>, canonical, hash, isOfKind)
}

function recordOf(parsed: z.output<typeof envelope>, canonical: string, hash: string, isOfKind = false): LedgerRecord {
  const { seq, prev, id, time, kind, service, host, program, catalogHash, ledger, seen = {}, writer, signature } = parsed
  const body = parsed.body as { readonly [key: string]: Json }
  const at = new Date(time)
  const origin = { seq, hash, prev, id, time: at, service, host, program, catalogHash, canonical }
  const head: RecordHead = { ...origin, ledger, seen, writer, signature }
  if (isOfKind && isEvidenceKind(kind)) return { ...head, kind, body } as unknown as EvidenceRecord
  return isEvidenceKind(kind) ? decodeEvidence(head, kind, body) : { ...head, kind: 'unknown', originalKind: kind, body }
}

function decodeEvidence(head: RecordHead, kind: EvidenceKind, body: { readonly [key: string]: Json }): LedgerRecord {
  const known = evidenceSchemas[kind].safeParse(body)
  if (!known.success) return { ...head, kind: 'unknown', originalKind: kind, body }
  return { ...head, kind, body: known.data } as EvidenceRecord
}

const digits = 10

/** The object that holds record `seq`: ten digits, so that names sort as numbers do. */
export function recordName(seq: number): string {
  return String(seq).padStart(digits, '0')
}

/** The inverse of recordName; undefined for a name that no record has. */
export function seqOfName(name: string): number | undefined {
  if (!/^\d{10,15}$/.test(name)) return undefined
  const seq = Number(name)
  return seq > 0 && recordName(seq) === name ? seq : undefined
}
