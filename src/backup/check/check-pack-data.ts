import { isHoldfastError } from '../../kernel/index.ts'
import type { BlobEntry } from '../../repository/index.ts'
import { sharedMemory } from '../../threads/index.ts'
import type { PresentPack } from './check-pack-list.ts'
import { createPackVerifiers, type PackVerifiers } from './pack-verifiers.ts'
import { blobKey, damagePack, isElsewhere, type CheckState } from './state.ts'
import type { PackVerdict } from './verify-pack.ts'

/** A pack is 16 to 24 MiB, or a few of the largest blobs. What is larger gets memory of its own. */
const mostKeptBytes = 32 * 1024 * 1024

/** A pack in which something is wrong, as it was found first and when it was read again. */
interface Suspect {
  readonly first: PackVerdict
  readonly again: PackVerdict
}

/** Packs that are being read in the background. Disposing stops that, if it is not done. */
export interface PackReading extends AsyncDisposable {
  /** Aborted, with the reason, when the storage fails: nothing else needs to be looked at then. */
  readonly failed: AbortSignal
  /** Ends when all are read, and puts what is wrong with them among the findings. */
  finish(): Promise<void>
}

/**
 * Reads every pack whole: its name, its header, and each blob in it. Several are in memory at a time, two for each thread. It begins at once,
 * and goes on while the caller looks at something else: progress is told from finish() on.
 */
export function readPackData(state: CheckState, packs: readonly PresentPack[]): PackReading {
  const verifiers = createPackVerifiers(state.repository, packs.length)
  const stop = new AbortController()
  const both = { ...state, signal: AbortSignal.any([state.signal, stop.signal]) }
  const report = reporter(state, packs)
  const suspects = new Map<PresentPack, Suspect>()
  const queue = packs.values()
  const largest = packs.reduce((most, { sizeBytes }) => Math.max(most, sizeBytes), 0)
  const reader = async () => {
    let into: Uint8Array | undefined
    for (const pack of queue) {
      both.signal.throwIfAborted()
      into ??= sharedMemory(Math.min(largest, mostKeptBytes))
      report.pack()
      const suspect = await examine(both, pack, { verifiers, into })
      if (suspect !== undefined) suspects.set(pack, suspect)
      report.done(pack)
    }
  }
  const all = Promise.all(Array.from({ length: Math.min(verifiers.atOnce, packs.length) }, reader))
  all.catch((error: unknown) => stop.abort(error))
  return {
    failed: stop.signal,
    async finish() {
      report.begin()
      await all
      report.pack()
      // In the order of the packs, not that in which threads came to them: what is lost depends on what is known to be damaged.
      for (const pack of packs) tell(state, pack, suspects.get(pack))
    },
    async [Symbol.asyncDispose]() {
      // A reading that hangs, as on a dead mount, keeps nobody here: nothing waits for it any more.
      stop.abort()
      await verifiers[Symbol.asyncDispose]()
    },
  }
}

function reporter({ progress, counts }: CheckState, packs: readonly PresentPack[]) {
  const bytesTotal = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const startMs = performance.now()
  let [done, bytesDone, isTold] = [0, 0, false]
  return {
    begin() {
      isTold = true
      this.pack()
    },
    pack() {
      if (!isTold) return
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

/** What packs are verified with, one after the other: all of them are read into the same memory, which a thread may look at. */
interface Bench {
  readonly verifiers: PackVerifiers
  readonly into: Uint8Array | undefined
}

/** Undefined when nothing is wrong. */
async function examine(state: CheckState, pack: PresentPack, bench: Bench): Promise<Suspect | undefined> {
  const first = await verdictOn(state, pack, bench)
  if (first.reasons.length === 0) return undefined
  return { first, again: await verdictOn(state, pack, bench) }
}

async function verdictOn(state: CheckState, { id: pack }: PresentPack, { verifiers, into }: Bench): Promise<PackVerdict> {
  const bytes = await read(state, pack, into)
  if (bytes === undefined) return { reasons: ['it cannot be read'], damaged: indexedBlobs(state, pack) }
  const digest = state.expected.get(pack)?.digest
  const verdict = await verifiers.verify({ pack, bytes, ...(digest !== undefined && { digest }) })
  if (verdict.unlisted === undefined) return verdict
  // Listing what the index says of one pack goes over all of it: only for those whose header is damaged.
  const again = await read(state, pack, into)
  const listed = indexedBlobs(state, pack)
  return again === undefined ? verdict : verifiers.verify({ pack, bytes: again, listed })
}

/** Undefined when it has vanished or ends too early. */
async function read(
  { repository, signal }: CheckState,
  pack: string,
  into: Uint8Array | undefined,
): Promise<Uint8Array | undefined> {
  try {
    return await repository.backend.get('data', pack, { ...(into && { into }), signal })
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
