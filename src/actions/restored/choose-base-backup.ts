import { HoldfastError, isHoldfastError, shortId } from '../../kernel/index.ts'
import {
  backupPosition,
  chooseBackup,
  openWalArchive,
  parseRecoveryTarget,
  type RecoverableWindow,
  type RecoveryTarget as PostgresTarget,
  type WalArchive,
} from '../../postgres/index.ts'
import { isFutureDated, type Repository, type Snapshot } from '../../repository/index.ts'
import { backupPaths, readBaseBackupRecord, type BaseBackupRecord } from '../../sources/index.ts'
import type { ActionContext, RecoveryTarget } from '../contract.ts'

export interface ChosenBackup {
  readonly snapshot: Snapshot
  readonly record: BaseBackupRecord
  readonly archive: WalArchive
  readonly window: RecoverableWindow
  readonly target: PostgresTarget
}

export function postgresTarget(target: RecoveryTarget): PostgresTarget {
  if (target.kind === 'latest') return { kind: 'latest' }
  return parseRecoveryTarget(target.kind === 'time' ? target.time : target.lsn)
}

/**
 * The newest base backup of a service from which the archived WAL leads to the target. Backups of another cluster (the service was set up
 * anew) count only when the newest cluster has none that goes back far enough; those dated in the future never do.
 * Throws `recovery-target` naming the window, `wal-gap`-like refusals included, and `snapshot-not-found` when there is no backup at all.
 */
export async function chooseBaseBackup(
  repository: Repository,
  service: string,
  context: Pick<ActionContext, 'target' | 'clock'>,
  signal: AbortSignal,
): Promise<ChosenBackup> {
  const target = postgresTarget(context.target)
  const clusters = await clustersOf(repository, service, context.clock.now().getTime(), signal)
  let refusal: unknown
  for (const [systemIdentifier, backups] of clusters) {
    const archive = openWalArchive(repository.area('holdfast/wal'), systemIdentifier)
    try {
      const { backup, window } = await chooseBackup(archive, backups, target, {}, signal)
      return { snapshot: backup.snapshot, record: backup.record, archive, window, target }
    } catch (error) {
      refusal ??= error
      if (!isHoldfastError(error, 'recovery-target') || error.details.problem !== 'before') throw error
    }
  }
  throw (
    refusal ??
    new HoldfastError('snapshot-not-found', {
      message: `${repository.location} holds no base backup of ${service}`,
      hint: `take one: \`holdfast backup --service ${service}\``,
    })
  )
}

/** Base backups by system identifier, the cluster of the newest backup first. */
async function clustersOf(repository: Repository, service: string, nowMs: number, signal: AbortSignal) {
  const path = `/${backupPaths.root(service)}`
  const snapshots = (await repository.snapshots(signal))
    .filter((snapshot) => snapshot.paths.includes(path) && !isFutureDated(snapshot, nowMs))
    .sort((a, b) => b.timeMs - a.timeMs)
  const clusters = new Map<
    string,
    { snapshot: Snapshot; record: BaseBackupRecord; position: ReturnType<typeof backupPosition> }[]
  >()
  const unreadable: unknown[] = []
  for (const snapshot of snapshots) {
    try {
      const record = await readBaseBackupRecord(repository, snapshot, service, signal)
      const cluster = clusters.get(record.systemIdentifier) ?? []
      cluster.push({ snapshot, record, position: backupPosition(record) })
      clusters.set(record.systemIdentifier, cluster)
    } catch (error) {
      // An older backup may still do.
      if (!isHoldfastError(error)) throw error
      unreadable.push(
        new HoldfastError(error.code, { message: `snapshot ${shortId(snapshot.id)}: ${error.message}`, cause: error }),
      )
    }
  }
  if (clusters.size === 0 && unreadable.length > 0) throw unreadable[0]
  return clusters
}
