import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, isHoldfastError, systemClock, type Clock } from '../../kernel/index.ts'
import { openSql } from '../connection/connect.ts'
import { describeUrl } from '../connection/location.ts'
import { formatLsn, type Lsn } from '../lsn.ts'
import { overridesFile, readDataFile, replaceSettings, writeDataFile } from '../recovery/settings-file.ts'
import { conninfo, quoteValue } from './conninfo.ts'
import { replicationState, type ReplicationState } from './state.ts'

/** How its settings were before `configureFollowing`; in the data directory, as they may hold a password. */
const settingsBefore = 'postgresql.auto.conf.before-holdfast'
const names = new Set(['primary_conninfo', 'primary_slot_name', 'recovery_target_timeline'])

/** Lets go of what was kept for a change that stays, also of another server's, which pg_rewind brings along. */
export async function forgetFormerSettings(dataDir: string): Promise<void> {
  await rm(join(dataDir, settingsBefore), { force: true })
}

/**
 * Makes the server on a data directory a standby of another, from its next start or reload on. What was set before is kept, once, for
 * `unconfigureFollowing`. `name` is what it is called on the source.
 */
export async function configureFollowing(
  dataDir: string,
  { sourceUrl, slot, name }: { readonly sourceUrl: string; readonly slot: string | undefined; readonly name: string },
): Promise<void> {
  const before = await readDataFile(dataDir, overridesFile)
  if ((await readDataFile(dataDir, settingsBefore)) === '') await writeDataFile(dataDir, settingsBefore, before || '\n')
  const { text, password } = conninfo(sourceUrl, { application_name: name })
  const settings = {
    primary_conninfo: password === undefined ? text : `${text} password=${quoteValue(password)}`,
    primary_slot_name: slot ?? '',
    recovery_target_timeline: 'latest',
  }
  // First the signal: settings without it would be those of a primary.
  await writeDataFile(dataDir, 'standby.signal', '')
  await writeDataFile(dataDir, overridesFile, replaceSettings(before, names, settings))
}

/** Puts the settings back. It stays a standby: what it has received by now is of another's timeline. Twice is fine. */
export async function unconfigureFollowing(dataDir: string): Promise<void> {
  const before = await readDataFile(dataDir, settingsBefore)
  if (before === '') return
  await writeDataFile(dataDir, overridesFile, before)
  await forgetFormerSettings(dataDir)
}

/** Makes a physical slot that keeps WAL from now on; true when there was none. */
export async function ensureSlot(url: string, slot: string, signal: AbortSignal): Promise<boolean> {
  await using connection = await openSql(url, {}, signal)
  const [found] = await connection.query('select slot_type from pg_replication_slots where slot_name = $1', [slot])
  if (found?.slot_type === 'logical') {
    throw new HoldfastError('postgres-failed', {
      message: `${describeUrl(url)} has a logical slot ${slot}: a standby cannot use it`,
    })
  }
  if (found !== undefined) return false
  await connection.query('select pg_create_physical_replication_slot($1, true)', [slot])
  return true
}

/** Drops a slot that nobody uses; one that is gone is fine. */
export async function dropSlot(url: string, slot: string, signal: AbortSignal): Promise<void> {
  await using connection = await openSql(url, {}, signal)
  await connection.query(
    'select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1 and not active',
    [slot],
  )
}

export interface Following {
  readonly systemIdentifier: string
  readonly timeline: number
  /** What it must have replayed: where the source was when the wait began. */
  readonly lsn: Lsn
  readonly slot: string | undefined
}

/**
 * Waits until a standby streams from the timeline and has replayed what the source had when this was called, so that it is known to advance.
 * Throws `timed-out`, saying how far it is; `assertRunning` ends the wait when the server is gone.
 */
export async function waitUntilFollowing(
  url: string,
  expected: Following,
  {
    timeoutMs,
    clock = systemClock,
    assertRunning,
  }: { readonly timeoutMs: number; readonly clock?: Clock; readonly assertRunning?: () => Promise<void> },
  signal: AbortSignal,
): Promise<ReplicationState> {
  const deadlineMs = clock.monotonicMs() + timeoutMs
  for (;;) {
    await assertRunning?.()
    let state: ReplicationState | undefined
    try {
      state = await replicationState(url, signal)
    } catch (error) {
      signal.throwIfAborted()
      // Still starting.
      if (!isHoldfastError(error)) throw error
    }
    const problem = state === undefined ? 'it does not answer' : followingProblem(state, expected)
    if (state !== undefined && problem === undefined) return state
    if (clock.monotonicMs() > deadlineMs) {
      throw new HoldfastError('timed-out', {
        message: `the server at ${describeUrl(url)} does not follow: ${problem ?? ''}`,
        hint: 'its log says why; after a failover the old primary needs postgres.rewind first',
        retryable: true,
      })
    }
    await clock.sleep(100, signal)
  }
}

function followingProblem(state: ReplicationState, expected: Following): string | undefined {
  const { receiver, lsn = 0n } = state
  if (!state.inRecovery) return 'it is a primary'
  if (state.systemIdentifier !== expected.systemIdentifier) return `it is of the cluster ${state.systemIdentifier}`
  if (state.replay !== 'running') return 'its replay is paused'
  if (receiver?.status !== 'streaming') return 'it is not streaming'
  if (expected.slot !== undefined && receiver.slot !== expected.slot) return `it streams by the slot ${receiver.slot ?? '(none)'}`
  if (receiver.timeline !== expected.timeline) return `it streams timeline ${receiver.timeline}, and ${expected.timeline} leads`
  if (lsn < expected.lsn) return `it has replayed up to ${formatLsn(lsn)} of ${formatLsn(expected.lsn)}`
  return undefined
}
