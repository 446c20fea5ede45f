import { isHoldfastError } from '../../kernel/index.ts'
import type { WalFact } from '../../objectives/index.ts'
import { backupPosition, formatLsn, openWalArchive, recoverableWindow } from '../../postgres/index.ts'
import { isFutureDated, type Snapshot } from '../../repository/index.ts'
import { readBaseBackupRecord } from '../../sources/index.ts'
import type { RepositoryFacts } from './repository-facts.ts'

export type WalFinding = { readonly fact: WalFact } | { readonly problem: string } | undefined

/**
 * How far the WAL in this repository carries a recovery beyond the newest of a service's base backups there. Undefined when there is no
 * backup, or nothing beyond it. An archive that cannot be read is an outcome.
 */
export async function walFact(
  { name, repository }: RepositoryFacts,
  service: string,
  snapshots: readonly Snapshot[],
  now: Date,
  signal?: AbortSignal,
): Promise<WalFinding> {
  const base = snapshots.findLast((snapshot) => !isFutureDated(snapshot, now.getTime()))
  if (!base) return undefined
  try {
    const record = await readBaseBackupRecord(repository, base, service, signal)
    const archive = openWalArchive(repository.area('holdfast/wal'), record.systemIdentifier)
    const { end, gap } = await recoverableWindow(archive, backupPosition(record), {}, signal)
    if (end.lastRecord === undefined) return undefined
    const coveredUs = latest(end.completeUntilUs, end.lastCommitUs)
    if (coveredUs === undefined) return undefined
    return {
      fact: {
        repository: name,
        from: base.id,
        coveredUntil: new Date(Number(coveredUs / 1000n)),
        ...(gap ? { gap: { from: formatLsn(gap.from), ...(gap.to === undefined ? {} : { to: formatLsn(gap.to) }) } } : {}),
      },
    }
  } catch (error) {
    signal?.throwIfAborted()
    if (!isHoldfastError(error) || error.code === 'internal') throw error
    return { problem: `its WAL cannot be used: ${error.message}` }
  }
}

function latest(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a
}
