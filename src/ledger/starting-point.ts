import type { SealedArea } from '../storage/index.ts'
import type { HeadMemory, LedgerHead, OwnTip } from './head-file.ts'
import { listLedger, openPlaceReader, type PlaceReader } from './read.ts'
import { genesis, signedText, type LedgerRecord } from './record.ts'
import { isSignedBy, type Signer } from './signing-key.ts'

/** Where a writer goes on: behind the newest place, chained to the newest readable record and to its own newest. */
export interface WriterTip extends LedgerHead {
  readonly own: OwnTip
}

/** Finds where to go on, once, and notes a remembered record that is not there any more before it is forgotten. */
export async function startingPoint(
  area: SealedArea,
  memory: HeadMemory,
  signer: Signer | undefined,
  signal?: AbortSignal,
): Promise<WriterTip> {
  const remembered = await memory.recall()
  const { place, readable, reader } = await lookAtNewest(area, signal)
  const last = readable ?? { seq: 0, hash: genesis }
  const head = remembered?.head
  if (head !== undefined && head.seq > 0) {
    const { record } = await reader.read(head.seq, signal)
    if (record?.hash !== head.hash) await memory.remember(last, { lost: [head] })
  }
  return { seq: place, hash: last.hash, own: await ownTip(reader, place, signer, remembered?.own, signal) }
}

/**
 * The writer's newest record. What this machine remembers counts even if it is not in the ledger any more: the gap that the next record
 * then shows cannot be closed by whoever cut it off. Another process of this installation may have written behind it. A machine that remembers
 * nothing looks at all records: it may have written any of them.
 */
async function ownTip(
  reader: PlaceReader,
  place: number,
  signer: Signer | undefined,
  remembered: OwnTip | undefined,
  signal?: AbortSignal,
): Promise<OwnTip> {
  const none = { key: signer?.key ?? '', n: 0, hash: genesis, seq: 0 }
  if (signer === undefined) return none
  const known = remembered?.key === signer.key ? remembered : none
  for (let seq = place; seq > known.seq; seq--) {
    const tip = ownTipAfter(known, signer, (await reader.read(seq, signal)).record)
    if (tip !== known) return tip
  }
  return known
}

/** The writer's newest record when `record` is the newest that was read. One that only claims to be the writer's is not. */
export function ownTipAfter(before: OwnTip, signer: Signer | undefined, record: LedgerRecord | undefined): OwnTip {
  const { writer, signature } = record ?? {}
  if (!record || !writer || signature === undefined || writer.key !== signer?.key || writer.n <= before.n) return before
  if (!isSignedBy(writer.key, signedText(record.canonical, signature), signature)) return before
  return { key: writer.key, n: writer.n, hash: record.hash, seq: record.seq }
}

/** The newest record that can be read. */
export async function newest(area: SealedArea, signal?: AbortSignal): Promise<LedgerHead | undefined> {
  return (await lookAtNewest(area, signal)).readable
}

/** The newest place that holds anything (0: none does), the newest record that can be read, and a reader of what was listed. */
async function lookAtNewest(area: SealedArea, signal?: AbortSignal) {
  const listing = await listLedger(area, signal)
  const reader = openPlaceReader(area, listing)
  const place = listing.seqs.at(-1) ?? 0
  for (const seq of listing.seqs.toReversed()) {
    const { record } = await reader.read(seq, signal)
    if (record) return { place, reader, readable: { seq, hash: record.hash } }
  }
  return { place, reader, readable: undefined }
}
