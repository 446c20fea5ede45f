import type { BlobIndex, BlobType, Repository, Snapshot } from '../../repository/index.ts'
import type { CheckFinding, CheckProgress } from './findings.ts'

/** What an index says of a pack, kept small: there are as many as packs. */
export interface ExpectedPack {
  /** Of the whole file, as its blobs and their header entries add up. */
  readonly sizeBytes: number
  /** Of its list of blobs, to compare with its own header. */
  readonly digest: string
}

/** Why a blob cannot be had: the key of its finding. */
export type Culprit = string

/** What the phases of a check share. */
export interface CheckState {
  readonly repository: Repository
  readonly progress: (event: CheckProgress) => void
  readonly signal: AbortSignal
  readonly findings: CheckFinding[]
  readonly expected: Map<string, ExpectedPack>
  readonly snapshots: Snapshot[]
  index: BlobIndex
  /** Damage whose effect on the snapshots is told at the end, by culprit. */
  readonly damage: Map<Culprit, Damage>
  /** Packs that were found damaged; their entries in `damage` read it. */
  readonly damagedPacks: Map<string, { reasons: readonly string[]; blobs: readonly string[] }>
  /** The blobs that are lost, by `type:id`, and who is to blame. */
  readonly lost: Map<string, Culprit>
  readonly counts: { indexes: number; trees: number; packs: number; areaObjects: number; readBytes: number }
}

/** A finding that lacks only what it does to the snapshots. */
export type Damage = (affected: { snapshots: string[]; paths: string[] }) => CheckFinding

export function blobKey(type: BlobType, id: string): string {
  return `${type}:${id}`
}

/** Blames every blob that the index places in these packs, and in no other. */
export function loseBlobsOf(state: CheckState, culprits: ReadonlyMap<string, Culprit>): void {
  for (const { type, id, pack } of state.index.entries()) {
    const culprit = culprits.get(pack)
    if (culprit !== undefined && !isElsewhere(state, type, id)) state.lost.set(blobKey(type, id), culprit)
  }
}

/** Whether a pack that nothing is known against has the blob. */
export function isElsewhere({ index, damage }: CheckState, type: BlobType, id: string): boolean {
  return index.lookupAll(type, id).some(({ pack }) => !damage.has(pack))
}

/** Damage found in a pack that has the right size. Later knowledge about the same pack replaces or completes the earlier. */
export function damagePack(
  state: CheckState,
  pack: string,
  found: { reasons: readonly string[]; blobs: readonly string[] },
): void {
  state.damagedPacks.set(pack, found)
  state.damage.set(pack, (affected) => ({
    severity: 'error',
    code: 'pack-damaged',
    pack,
    ...(state.damagedPacks.get(pack) ?? found),
    ...affected,
  }))
}
