import { formatDuration, formatSize } from '../../kernel/index.ts'
import { formatLsn, type Lsn } from '../lsn.ts'
import type { ReplicationState } from './state.ts'

/** Where a primary’s WAL ends, from whom that is known. */
export interface PrimaryPosition {
  readonly lsn: Lsn
  /** primary: it said so itself. primary-files: its WAL was read from its stopped data directory. */
  readonly basis: 'primary' | 'primary-files'
}

/** The newest sign of life of the primary that a standby has replayed, by the standby’s clock. */
export interface Heartbeat {
  readonly at: string
  readonly ageMs: number
  readonly maxAgeMs: number
}

/**
 * How much of what the primary wrote a standby does not have: in bytes of WAL, or as the time until which it has everything. Never from the
 * time of the last replayed transaction: on an idle primary that says nothing.
 */
export type ReplicationLag =
  | {
      readonly known: true
      readonly bytes: number
      readonly basis: PrimaryPosition['basis']
      readonly primaryLsn: string
    }
  | {
      readonly known: true
      /** To where the primary’s WAL ended when it last spoke. */
      readonly bytes: number
      readonly basis: 'wal-receiver'
      readonly primaryLsn: string
      /** When it last spoke: of what it wrote later, for a client that it still reached, nobody here knows. ISO 8601. */
      readonly completeUntil: string
      readonly ageMs: number
    }
  | { readonly known: true; readonly basis: 'heartbeat'; readonly completeUntil: string; readonly ageMs: number }
  | { readonly known: false; readonly because: string }

/** An idle primary speaks every half wal_sender_timeout, 30 s by default; a silence of twice that is none of an idle one. */
const longestSilenceMs = 60_000

export function replicationLag(
  standby: Pick<ReplicationState, 'heldLsn' | 'receiver'>,
  primary?: PrimaryPosition,
  heartbeat?: Heartbeat,
): ReplicationLag {
  const { heldLsn, receiver } = standby
  if (heldLsn === undefined) return { known: false, because: 'it has received and replayed nothing yet' }
  const bytesTo = (end: Lsn) => (end > heldLsn ? Number(end - heldLsn) : 0)
  if (primary !== undefined) {
    return { known: true, bytes: bytesTo(primary.lsn), basis: primary.basis, primaryLsn: formatLsn(primary.lsn) }
  }
  if (receiver?.status === 'streaming') {
    const { senderLsn, silentMs, heardAt } = receiver
    if (senderLsn !== undefined && heardAt !== undefined && silentMs !== undefined && silentMs <= longestSilenceMs) {
      return {
        known: true,
        bytes: bytesTo(senderLsn),
        basis: 'wal-receiver',
        primaryLsn: formatLsn(senderLsn),
        completeUntil: heardAt,
        ageMs: Math.max(0, Math.round(silentMs)),
      }
    }
  }
  if (heartbeat !== undefined && heartbeat.ageMs >= -1000 && heartbeat.ageMs <= heartbeat.maxAgeMs) {
    return { known: true, basis: 'heartbeat', completeUntil: heartbeat.at, ageMs: Math.max(0, heartbeat.ageMs) }
  }
  return { known: false, because: whyUnknown(receiver, heartbeat) }
}

function whyUnknown(receiver: ReplicationState['receiver'], heartbeat: Heartbeat | undefined): string {
  const stream =
    receiver === undefined
      ? 'it is connected to no primary'
      : receiver.silentMs === undefined || receiver.status !== 'streaming'
        ? `its receiver is not streaming (${receiver.status})`
        : `the primary last said ${formatDuration(Math.round(receiver.silentMs))} ago how far it was`
  const beat =
    heartbeat === undefined
      ? ''
      : heartbeat.ageMs < 0
        ? `, and the heartbeat is of the future (${heartbeat.at})`
        : `, and the last heartbeat that it has is of ${heartbeat.at}, ${formatDuration(heartbeat.ageMs)} ago`
  return `the primary cannot be asked how far it came, and ${stream}${beat}`
}

/** For messages: what would be lost if this standby took over. */
export function describeLag(lag: ReplicationLag): string {
  if (!lag.known) return `unknown: ${lag.because}`
  if (lag.basis === 'heartbeat') return `what was committed after ${lag.completeUntil}`
  const missing = lag.bytes === 0 ? [] : [`${formatSize(lag.bytes)} of WAL, up to ${lag.primaryLsn}`]
  // A primary that was cut off goes on taking writes from whoever reaches it: its silence is not "nothing".
  if (lag.basis === 'wal-receiver') missing.push(`what was committed after ${lag.completeUntil}, when the primary was last heard`)
  return missing.length === 0 ? 'nothing' : missing.join(', and ')
}
