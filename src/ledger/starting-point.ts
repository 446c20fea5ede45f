import type { SealedArea } from '../storage/index.ts'
import type { HeadMemory, LedgerHead, OwnTip } from './head-file.ts'
import { listLedger, readEntry } from './read.ts'
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
  const { place, readable } = await newest(area, signal)
  const last = readable ?? { seq: 0, hash: genesis }
  const head = remembered?.head
  if (head !== undefined && head.seq > 0) {
    const { record } = await readEntry(area, head.seq, signal)
    if (record?.hash !== head.hash) await memory.remember(last, { lost: [head] })
  }
  return { seq: place, hash: last.hash, own: await ownTip(area, place, signer, remembered?.own, signal) }
}

/**
 * The writer's newest record. What this machine remembers counts even if it is not in the ledger any more: the gap that the next record
 * then shows cannot be closed by whoever cut it off. Another process of this installation may have written behind it.
 */
async function ownTip(
  area: SealedArea,
  place: number,
  signer: Signer | undefined,
  remembered: OwnTip | undefined,
  signal?: AbortSignal,
): Promise<OwnTip> {
  const none = { key: signer?.key ?? '', n: 0, hash: genesis, seq: 0 }
  if (signer === undefined) return none
  const known = remembered?.key === signer.key ? remembered : none
  for (let seq = place; seq > known.seq; seq--) {
    const tip = ownTipAfter(known, signer, (await readEntry(area, seq, signal)).record)
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

/** The newest place that holds anything (0: none does), and the newest record that can be read. */
export async function newest(
  area: SealedArea,
  signal?: AbortSignal,
): Promise<{ place: number; readable: LedgerHead | undefined }> {
  const { seqs } = await listLedger(area, signal)
  const place = seqs.at(-1) ?? 0
  for (const seq of seqs.toReversed()) {
    const { record } = await readEntry(area, seq, signal)
    if (record) return { place, readable: { seq, hash: record.hash } }
  }
  return { place, readable: undefined }
}
