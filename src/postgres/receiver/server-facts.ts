import { HoldfastError } from '../../kernel/index.ts'
import type { ReplicationConnection } from '../connection/replication.ts'
import { sqlState } from '../connection/errors.ts'
import { parseLsn, type Lsn } from '../lsn.ts'
import { parseTimelineHistory, type TimelineHistory } from '../timeline-history.ts'
import type { WalArchive } from '../wal/contract.ts'

export interface SystemFacts {
  readonly systemIdentifier: string
  readonly timeline: number
  /** The end of its WAL that is on its disk. */
  readonly flushed: Lsn
  readonly segmentBytes: number
}

export async function identifySystem(connection: ReplicationConnection): Promise<SystemFacts> {
  const [row] = await connection.query('IDENTIFY_SYSTEM')
  const [size] = await connection.query('SHOW wal_segment_size')
  const segmentBytes = parseSegmentSize(size?.wal_segment_size ?? '')
  if (!row?.systemid || !row.timeline || !row.xlogpos || segmentBytes === undefined) {
    throw new HoldfastError('postgres-failed', { message: `${connection.location} does not identify itself` })
  }
  return { systemIdentifier: row.systemid, timeline: Number(row.timeline), flushed: parseLsn(row.xlogpos), segmentBytes }
}

/** `16MB`, `1GB`: a power of two from 1 MB to 1 GB. */
function parseSegmentSize(text: string): number | undefined {
  const match = /^(\d+)(kB|MB|GB)$/.exec(text)
  if (!match) return undefined
  return Number(match[1]) * { kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 }[match[2] as 'kB' | 'MB' | 'GB']
}

export interface SlotFacts {
  readonly timeline: number
  /** The oldest WAL that the server keeps for it. */
  readonly lsn: Lsn
  readonly created: boolean
}

/**
 * The slot's position; made when there is none, keeping WAL from now on. Throws `slot-lost` when the server has given it up, and
 * `postgres-setting` when there is no room for another slot.
 */
export async function ensureSlot(connection: ReplicationConnection, slot: string, system: SystemFacts): Promise<SlotFacts> {
  const found = await readSlot(connection, slot)
  if (found) {
    if (found.slot_type !== 'physical') {
      throw new HoldfastError('postgres-setting', {
        message: `the replication slot ${slot} of ${connection.location} is ${found.slot_type}, not physical`,
        hint: 'choose another name with --slot',
        details: { slot },
      })
    }
    if (!found.restart_lsn) throw slotLost(slot, connection.location)
    return { timeline: Number(found.restart_tli ?? system.timeline), lsn: parseLsn(found.restart_lsn), created: false }
  }
  try {
    await connection.query(`CREATE_REPLICATION_SLOT "${slot}" PHYSICAL RESERVE_WAL`)
  } catch (error) {
    if (sqlState(error) === '53400') {
      throw new HoldfastError('postgres-setting', {
        message: `${connection.location} has no room for another replication slot`,
        hint: 'raise max_replication_slots (`ALTER SYSTEM SET max_replication_slots = …`, then restart the server), or drop an unused slot',
        cause: error,
        details: { setting: 'max_replication_slots' },
      })
    }
    // 42710: a server before version 15 cannot be asked for a slot, only be told to make it.
    if (sqlState(error) !== '42710') throw error
    return { timeline: system.timeline, lsn: system.flushed, created: false }
  }
  const made = await readSlot(connection, slot)
  return {
    timeline: Number(made?.restart_tli ?? system.timeline),
    lsn: parseLsn(made?.restart_lsn ?? '0/0') || system.flushed,
    created: true,
  }
}

async function readSlot(connection: ReplicationConnection, slot: string) {
  if (connection.serverVersion < 150_000) return undefined
  const [row] = await connection.query(`READ_REPLICATION_SLOT "${slot}"`)
  return row?.slot_type ? row : undefined
}

export function slotLost(slot: string, location: string, cause?: unknown): HoldfastError {
  return new HoldfastError('slot-lost', {
    message: `${location} has removed WAL that the replication slot ${slot} still needed, so the archive has a hole`,
    hint: `drop it (\`select pg_drop_replication_slot('${slot}')\`), start the receiver again, and take a new base backup: recovery to a point behind the hole needs one. Raise max_slot_wal_keep_size so that it does not happen again`,
    cause,
    details: { slot },
  })
}

/** True for what a server says when a slot or the WAL asked for is gone for good. */
export function isRemovedWal(error: unknown): boolean {
  const state = sqlState(error)
  const text = error instanceof Error ? error.message : ''
  if (state === '58P01') return /has already been removed/.test(text)
  return state === '55000' && /(can no longer|cannot) (access|get changes from|be used|read from)|invalidated/.test(text)
}

/** A name that a slot can have, else `usage`. */
export function checkSlotName(slot: string): void {
  if (/^[a-z0-9_]{1,63}$/.test(slot)) return
  throw new HoldfastError('usage', {
    message: `'${slot}' cannot be the name of a replication slot`,
    hint: 'use lower-case letters, digits and underscores, at most 63',
  })
}

/**
 * The server's ancestry, and its history files stored: recovery needs the file of the timeline it follows. An ancestor's own file may be gone
 * from the server; then only recovery to that ancestor is impossible, unless the archive has it from before.
 */
export async function archiveHistories(
  connection: ReplicationConnection,
  archive: WalArchive,
  timeline: number,
): Promise<TimelineHistory> {
  if (timeline === 1) return { timeline, forks: [], text: '' }
  const history = parseTimelineHistory(timeline, await fetchHistory(connection, timeline))
  await archive.putHistory(timeline, history.text)
  for (const { timeline: ancestor } of history.forks) {
    if (ancestor === 1 || (await archive.history(ancestor)) !== undefined) continue
    try {
      await archive.putHistory(ancestor, await fetchHistory(connection, ancestor))
    } catch (error) {
      if (sqlState(error) !== '58P01') throw error
    }
  }
  return history
}

/** A timeline's history file, as the server has it; '' for the first. */
export async function fetchHistory(connection: ReplicationConnection, timeline: number): Promise<string> {
  const [row] = await connection.query(`TIMELINE_HISTORY ${timeline}`)
  return row?.content ?? ''
}
