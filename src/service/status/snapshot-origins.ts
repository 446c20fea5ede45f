import type { DamagedPlace, EvidenceRecord, LedgerView } from '../../ledger/index.ts'

/** What the ledger of a repository says of how a snapshot came to be in it. */
export interface SnapshotOrigin {
  /** The last record of its backup, which counts. */
  readonly backup: EvidenceRecord<'backup'>
  /** Ids of the same state in the same repository, before it was given other tags. */
  readonly formerIds: readonly string[]
  /** The record that it is known to be in the repository since, under whatever id. */
  readonly arrival: EvidenceRecord<'backup'>
}

/** Of those snapshots that have a record. Other tags make another id: its record says which one it stands for, as that of a copy from elsewhere does. */
export function snapshotOrigins(
  view: Pick<LedgerView, 'about'>,
  snapshots: readonly string[],
  onDamage: (place: DamagedPlace) => void,
): ReadonlyMap<string, SnapshotOrigin> {
  const records = new Map<string, EvidenceRecord<'backup'>[]>()
  for (let wanted = [...snapshots]; wanted.length > 0;) {
    for (const id of wanted) records.set(id, [])
    const found = view.about('backup', wanted, onDamage)
    for (const record of found) records.get(record.body.snapshot)?.push(record)
    wanted = [...new Set(found.flatMap((record) => formerId(record) ?? []))].filter((id) => !records.has(id))
  }
  return new Map(
    snapshots.flatMap((id) => {
      const backup = records.get(id)?.at(-1)
      return backup === undefined ? [] : [[id, originOf(backup, records)]]
    }),
  )
}

/** Goes back in the order that the records were written in: no forged one leads round in a circle. */
function originOf(
  backup: EvidenceRecord<'backup'>,
  records: ReadonlyMap<string, readonly EvidenceRecord<'backup'>[]>,
): SnapshotOrigin {
  const formerIds: string[] = []
  let arrival = backup
  for (let id = formerId(backup); id !== undefined;) {
    formerIds.push(id)
    const before = records.get(id)?.findLast(({ seq }) => seq < arrival.seq)
    if (before === undefined) break
    arrival = before
    id = formerId(before)
  }
  return { backup, formerIds, arrival }
}

/** In this repository: what was read of the one that a copy came from says nothing of the copy. */
function formerId({ body: { copiedFrom, repository } }: EvidenceRecord<'backup'>): string | undefined {
  return copiedFrom?.repository === repository ? copiedFrom.snapshot : undefined
}
