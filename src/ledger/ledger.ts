import { hostname } from 'node:os'
import { isHoldfastError, randomHex, sha256Hex, systemClock, type Clock } from '../kernel/index.ts'
import type { SealedArea } from '../storage/index.ts'
import type { EvidenceBody, EvidenceKind } from './evidence.ts'
import { noMemory, openHeadMemory, type LedgerHead } from './head-file.ts'
import { programName } from './program.ts'
import { readEntry } from './read.ts'
import { decodeRecord, encodeRecord, recordName, type LedgerRecord } from './record.ts'
import { isPacked, isTimeToPack } from './segments.ts'
import { packOldRecords } from './pack.ts'
import type { Signer } from './signing-key.ts'
import { openLedgerView, type DamagedPlace, type LedgerView, type RecordsFilter } from './view.ts'
import { newest, ownTipAfter, startingPoint, type WriterTip } from './starting-point.ts'
import { examineLedger, type Anchor, type Examination, type LedgerFinding, type LedgerVerification } from './verify.ts'

export interface LedgerOptions {
  /** Where this machine remembers the newest record it has seen: without it, records cut off the end go unnoticed. */
  readonly headFile?: string
  /** Of its repository: a signed record is bound to it, so that it cannot stand for one of another ledger. */
  readonly id?: string
  /** Who signs. Without it, or where it has no key, records are unsigned. */
  readonly signer?: () => Promise<Signer | undefined>
  /** Public keys whose owners are known, and their names. */
  readonly knownKeys?: ReadonlyMap<string, string>
  /** Told when this installation signs by another key than it did before. */
  readonly onNewKey?: (key: string, before: string) => void
  /** Where this machine keeps what it has read: without it, everything is read each time. */
  readonly cacheFile?: string
  readonly clock?: Clock
  readonly host?: string
  readonly program?: string
}

export interface AppendOptions {
  readonly service?: string
  readonly catalogHash?: string
  readonly signal?: AbortSignal
}

/**
 * The append-only, hash-chained record of everything measured, kept in a repository.
 *
 * append   writes the next record; durable when it returns. Of several writers, in any number of processes, each gets a place of its
 *          own. A record after a damaged one is chained to the newest readable one, so that evidence is not lost for an old damage.
 * records  streams records, each held against its neighbours and its signature.
 * ask      the same for many questions, of one state of the ledger. `work` is begun again when what was kept here turns out to be wrong.
 * head     the newest readable record; undefined when there is none.
 * verify   looks at every object. What it finds is data; it throws only when the storage does.
 */
export interface Ledger {
  append<Kind extends EvidenceKind>(kind: Kind, body: EvidenceBody<Kind>, options?: AppendOptions): Promise<LedgerHead>
  records(filter?: RecordsFilter, signal?: AbortSignal): AsyncGenerator<LedgerRecord>
  ask<Answer>(work: (view: LedgerView) => Answer | Promise<Answer>, signal?: AbortSignal): Promise<Answer>
  head(signal?: AbortSignal): Promise<LedgerHead | undefined>
  /** `head`: a hash noted elsewhere that must be in the ledger. */
  verify(options?: { readonly head?: string }, signal?: AbortSignal): Promise<LedgerVerification>
  /** As verify, with what is needed to hold other ledgers against this one. */
  examine(options?: { readonly head?: string }, signal?: AbortSignal): Promise<Examination>
}

/** The ledger in a repository's `holdfast/ledger` area. Nothing is read until it is used. */
export function openLedger(area: SealedArea, options: LedgerOptions = {}): Ledger {
  const { clock = systemClock, host = hostname(), id: ledgerId, knownKeys = new Map<string, string>() } = options
  const memory = options.headFile === undefined ? noMemory : openHeadMemory(options.headFile)
  let program = options.program
  /** Where this writer goes on: the newest place it knows, the hash to chain to, and its own newest record. */
  let tip: WriterTip | undefined

  /** Once with what is kept here, once with what is kept anew, and then without keeping anything. */
  const attempts = [options.cacheFile, options.cacheFile, undefined]
  const openView = (cacheFile: string | undefined, signal?: AbortSignal) =>
    openLedgerView(area, { cacheFile, id: ledgerId, knownKeys }, signal)

  const examine: Ledger['examine'] = async ({ head: given } = {}, signal) => {
    // What is remembered is read first: a record appended meanwhile is in the listing, or is not yet remembered.
    const remembered = await memory.recall()
    const anchors: Anchor[] = [
      ...(given === undefined ? [] : [{ hash: given }]),
      ...(remembered ? [remembered.head, ...remembered.lost].filter(({ seq }) => seq > 0) : []),
    ]
    const question = { anchors, knownKeys, ...(ledgerId === undefined ? {} : { id: ledgerId }) }
    let examination = await examineLedger(area, question, signal)
    // Others write and pack while objects are listed: what seems to be gone is looked for once more.
    if (examination.verification.findings.some(({ code }) => seemGone.has(code)))
      examination = await examineLedger(area, question, signal)
    const { verification } = examination
    if (verification.verdict === 'ok' && verification.head) await memory.remember(verification.head)
    if (memory.unavailable === undefined) return examination
    return { ...examination, verification: { ...verification, notRemembered: memory.unavailable } }
  }

  return {
    async append(kind, body, { service, catalogHash, signal } = {}) {
      const signer = await options.signer?.()
      let last = tip ?? (await startingPoint(area, memory, signer, signal))
      if (signer !== undefined && tip === undefined) {
        const before = (await memory.recall())?.own?.key
        if (before !== undefined && before !== signer.key) options.onNewKey?.(signer.key, before)
      }
      program ??= programName()
      const id = randomHex(8)
      const seen = signer === undefined ? {} : await memory.others()
      for (;;) {
        const seq = last.seq + 1
        const content = { seq, prev: last.hash, id, time: clock.now(), kind, service, host, program, catalogHash, body }
        const writer = signer && { key: signer.key, n: last.own.n + 1, prev: last.own.hash }
        const text = encodeRecord(writer === undefined ? content : { ...content, ledger: ledgerId, seen, writer }, signer)
        const written = await putOrRead(area, seq, text, id, signal)
        if (written.ours && (await isPacked(area, seq, signal))) {
          // Whoever was asleep while more than a thousand others wrote comes too late for its place.
          await area.delete(recordName(seq), signal)
          last = tip = await startingPoint(area, memory, signer, signal)
          continue
        }
        last = { seq, hash: written.hash ?? last.hash, own: ownTipAfter(last.own, signer, written.record) }
        if (tip === undefined || tip.seq < seq) tip = last
        if (!written.ours) continue
        await memory.remember(last, signer === undefined ? {} : { own: last.own })
        if (isTimeToPack(seq)) await packOldRecords(area, signal)
        return { seq: last.seq, hash: last.hash }
      }
    },

    async *records(filter = {}, signal) {
      let { behind } = filter
      let left = filter.limit ?? Infinity
      const told = new Set<number>()
      // A place that is met again, after the cache was lost, was told already.
      const onDamage =
        filter.onDamage &&
        ((place: DamagedPlace) => {
          if (told.has(place.seq)) return
          told.add(place.seq)
          filter.onDamage?.(place)
        })
      for (const [attempt, cacheFile] of attempts.entries()) {
        using view = await openView(cacheFile, signal)
        try {
          for (const record of view.records({
            ...filter,
            limit: left,
            ...(onDamage && { onDamage }),
            ...(behind === undefined ? {} : { behind }),
          })) {
            behind = record.seq
            left--
            yield record
          }
          return
        } catch (error) {
          if (attempt === attempts.length - 1 || !view.isLost(error)) throw error
        }
      }
    },

    async ask(work, signal) {
      for (const cacheFile of attempts.slice(0, -1)) {
        using view = await openView(cacheFile, signal)
        try {
          return await work(view)
        } catch (error) {
          if (!view.isLost(error)) throw error
        }
      }
      using view = await openView(undefined, signal)
      return await work(view)
    },

    async head(signal) {
      return newest(area, signal)
    },

    verify: async (given, signal) => (await examine(given, signal)).verification,
    examine,
  }
}

const seemGone: ReadonlySet<LedgerFinding['code']> = new Set(['missing', 'truncated', 'writer-gap'])

/** Writes a record in its place, or reads the one that came first. No hash when that one cannot be read. */
async function putOrRead(
  area: SealedArea,
  seq: number,
  text: string,
  id: string,
  signal?: AbortSignal,
): Promise<{ ours: boolean; hash?: string; record?: LedgerRecord }> {
  const bytes = new TextEncoder().encode(text)
  try {
    await area.put(recordName(seq), bytes, { ifAbsent: true, ...(signal ? { signal } : {}) })
    const record = decodeRecord(bytes)
    return { ours: true, hash: sha256Hex(text), ...(typeof record === 'string' ? {} : { record }) }
  } catch (error) {
    if (!isHoldfastError(error, 'already-exists')) throw error
  }
  const { record } = await readEntry(area, seq, signal)
  if (!record) return { ours: false }
  // A storage that retries may report its own first attempt as somebody else's object.
  return { ours: record.id === id, hash: record.hash, record }
}
