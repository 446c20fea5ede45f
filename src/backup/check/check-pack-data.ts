import { isHoldfastError } from '../../kernel/index.ts'
import type { BlobEntry } from '../../repository/index.ts'
import type { PresentPack } from './check-pack-list.ts'
import { createPackVerifiers, type PackVerifiers } from './pack-verifiers.ts'
import { blobKey, damagePack, isElsewhere, type CheckState } from './state.ts'
import type { PackVerdict } from './verify-pack.ts'

/** A pack in which something is wrong, as it was found first and when it was read again. */
interface Suspect {
  readonly first: PackVerdict
  readonly again: PackVerdict
}

/** Reads every pack whole: its name, its header, and each blob in it. Several are in memory at a time, two for each thread. */
export async function checkPackData(state: CheckState, packs: readonly PresentPack[]): Promise<void> {
  await using verifiers = createPackVerifiers(state.repository, packs.length)
  const report = reporter(state, packs)
  const suspects = new Map<PresentPack, Suspect>()
  const queue = packs.values()
  const reader = async () => {
    for (const pack of queue) {
      state.signal.throwIfAborted()
      report.pack()
      const suspect = await examine(state, pack, verifiers)
      if (suspect !== undefined) suspects.set(pack, suspect)
      report.done(pack)
    }
  }
  await Promise.all(Array.from({ length: verifiers.atOnce }, reader))
  report.pack()
  // In the order of the packs, not that in which threads came to them: what is lost depends on what is known to be damaged.
  for (const pack of packs) tell(state, pack, suspects.get(pack))
}

function reporter({ progress, counts }: CheckState, packs: readonly PresentPack[]) {
  const bytesTotal = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const startMs = performance.now()
  let [done, bytesDone] = [0, 0]
  return {
    pack() {
      const isOpen = bytesDone > 0 && bytesDone < bytesTotal
      const etaMs = isOpen ? ((performance.now() - startMs) / bytesDone) * (bytesTotal - bytesDone) : undefined
      const eta = etaMs !== undefined && { etaMs: Math.round(etaMs) }
      progress({ type: 'check', phase: 'packs', done, total: packs.length, bytesDone, bytesTotal, ...eta })
    },
    done({ sizeBytes }: PresentPack) {
      done++
      bytesDone += sizeBytes
      counts.readBytes += sizeBytes
    },
  }
}

/** Undefined when nothing is wrong. */
async function examine(state: CheckState, pack: PresentPack, verifiers: PackVerifiers): Promise<Suspect | undefined> {
  const first = await verdictOn(state, pack, verifiers)
  if (first.reasons.length === 0) return undefined
  return { first, again: await verdictOn(state, pack, verifiers) }
}

async function verdictOn(state: CheckState, { id: pack }: PresentPack, verifiers: PackVerifiers): Promise<PackVerdict> {
  const bytes = await read(state, pack)
  if (bytes === undefined) return { reasons: ['it cannot be read'], damaged: indexedBlobs(state, pack) }
  const digest = state.expected.get(pack)?.digest
  const verdict = await verifiers.verify({ pack, bytes, ...(digest !== undefined && { digest }) })
  if (verdict.unlisted === undefined) return verdict
  // Listing what the index says of one pack goes over all of it: only for those whose header is damaged.
  const again = await read(state, pack)
  const listed = indexedBlobs(state, pack)
  return again === undefined ? verdict : verifiers.verify({ pack, bytes: again, listed })
}

/** Undefined when it has vanished or ends too early. */
async function read({ repository, signal }: CheckState, pack: string): Promise<Uint8Array | undefined> {
  try {
    return await repository.backend.get('data', pack, { signal })
  } catch (error) {
    if (isHoldfastError(error, 'object-missing') || isHoldfastError(error, 'object-damaged')) return undefined
    if (isHoldfastError(error, 'storage-failed')) return undefined
    throw error
  }
}

function tell(state: CheckState, { id: pack }: PresentPack, suspect: Suspect | undefined): void {
  if (suspect === undefined) return
  const { first, again } = suspect
  if (again.reasons.length === 0) {
    // What was read is not what is stored: the storage or the way to it is failing.
    state.findings.push({ severity: 'note', code: 'read-unstable', pack, reasons: first.reasons })
    return
  }
  damagePack(state, pack, { reasons: again.reasons, blobs: again.damaged.map(({ id }) => id) })
  for (const { type, id } of again.damaged) if (!isElsewhere(state, type, id)) state.lost.set(blobKey(type, id), pack)
}

function indexedBlobs({ index }: CheckState, id: string): BlobEntry[] {
  return [...index.entries()].filter(({ pack }) => pack === id)
}
