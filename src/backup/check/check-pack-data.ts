import { isHoldfastError, messageOf, sha256Hex } from '../../kernel/index.ts'
import type { BlobEntry } from '../../repository/index.ts'
import { blobsDigest } from './check-indexes.ts'
import type { PresentPack } from './check-pack-list.ts'
import { blobKey, damagePack, isElsewhere, type CheckState } from './state.ts'

interface PackVerdict {
  readonly reasons: string[]
  readonly damaged: BlobEntry[]
}

/** Reads every pack whole: its name, its header, and each blob in it. Two packs are in memory at a time, one being read. */
export async function checkPackData(state: CheckState, packs: readonly PresentPack[]): Promise<void> {
  const { progress, signal } = state
  const bytesTotal = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const startMs = performance.now()
  let bytesDone = 0
  let ahead = packs[0] && read(state, packs[0])
  for (const [done, pack] of packs.entries()) {
    signal.throwIfAborted()
    const etaMs = bytesDone === 0 ? undefined : ((performance.now() - startMs) / bytesDone) * (bytesTotal - bytesDone)
    progress({
      type: 'check',
      phase: 'packs',
      done,
      total: packs.length,
      bytesDone,
      bytesTotal,
      ...(etaMs === undefined ? {} : { etaMs: Math.round(etaMs) }),
    })
    const current = ahead
    const next = packs[done + 1]
    const bytes = await current
    ahead = next && read(state, next)
    // A failure of the pack read ahead is told when its turn comes.
    ahead?.catch(() => {})
    await checkPack(state, pack, bytes)
    bytesDone += pack.sizeBytes
    state.counts.readBytes += pack.sizeBytes
  }
  progress({ type: 'check', phase: 'packs', done: packs.length, total: packs.length, bytesDone, bytesTotal })
}

/** Undefined when it has vanished or ends too early. */
async function read({ repository, signal }: CheckState, { id }: PresentPack): Promise<Uint8Array | undefined> {
  try {
    return await repository.backend.get('data', id, { signal })
  } catch (error) {
    if (isHoldfastError(error, 'object-missing') || isHoldfastError(error, 'object-damaged')) return undefined
    if (isHoldfastError(error, 'storage-failed')) return undefined
    throw error
  }
}

async function checkPack(state: CheckState, pack: PresentPack, bytes: Uint8Array | undefined): Promise<void> {
  const first = verify(state, pack, bytes)
  if (first.reasons.length === 0) return
  const again = verify(state, pack, await read(state, pack))
  if (again.reasons.length === 0) {
    // What was read is not what is stored: the storage or the way to it is failing.
    state.findings.push({ severity: 'note', code: 'read-unstable', pack: pack.id, reasons: first.reasons })
    return
  }
  damagePack(state, pack.id, { reasons: again.reasons, blobs: again.damaged.map(({ id }) => id) })
  for (const { type, id } of again.damaged) if (!isElsewhere(state, type, id)) state.lost.set(blobKey(type, id), pack.id)
}

function verify(state: CheckState, { id }: PresentPack, bytes: Uint8Array | undefined): PackVerdict {
  const verdict: PackVerdict = { reasons: [], damaged: [] }
  if (bytes === undefined) {
    verdict.reasons.push('it cannot be read')
    verdict.damaged.push(...indexedBlobs(state, id))
    return verdict
  }
  if (sha256Hex(bytes) !== id) verdict.reasons.push('its content does not match its name')
  for (const entry of headerOrIndex(state, id, bytes, verdict)) {
    try {
      state.repository.openBlob(id, bytes, entry)
    } catch (error) {
      if (!isHoldfastError(error, 'pack-damaged')) throw error
      verdict.reasons.push(messageOf(error))
      verdict.damaged.push(entry)
    }
  }
  return verdict
}

/** The blobs as the pack's header has them, compared with the index; as the index has them when the header cannot be read. */
function headerOrIndex(state: CheckState, id: string, bytes: Uint8Array, { reasons }: PackVerdict): BlobEntry[] {
  try {
    const entries = state.repository.openPackHeader(id, bytes)
    const expected = state.expected.get(id)
    if (expected && blobsDigest(entries) !== expected.digest) reasons.push('its header and the index list different blobs')
    return entries
  } catch (error) {
    if (!isHoldfastError(error, 'pack-damaged')) throw error
    reasons.push(messageOf(error))
    return indexedBlobs(state, id)
  }
}

function indexedBlobs({ index }: CheckState, id: string): BlobEntry[] {
  return [...index.entries()].filter(({ pack }) => pack === id)
}
