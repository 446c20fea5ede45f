import { HoldfastError, isHoldfastError, messageOf, systemClock, type Clock } from '../../kernel/index.ts'
import type { SealedArea } from '../../storage/index.ts'
import { openReplication, type ReplicationConnection } from '../connection/replication.ts'
import { formatLsn, segmentNumber, segmentStart, type Lsn } from '../lsn.ts'
import { openWalArchive } from '../wal/archive.ts'
import type { WalArchive } from '../wal/contract.ts'
import { WalWriter } from '../wal/writer.ts'
import type { ReceiverEvent } from './events.ts'
import { archiveHistories, checkSlotName, ensureSlot, identifySystem, isRemovedWal, slotLost } from './server-facts.ts'
import { startPosition, type StartPosition } from './start-position.ts'
import { receiveStream } from './stream.ts'

export interface ReceiveOptions {
  readonly url: string
  /** The replication slot: made when missing, kept for ever. Lower-case letters, digits, underscores. */
  readonly slot: string
  readonly area: SealedArea
  /** The name to put into synchronous_standby_names, in double quotes there. Default: the slot's name. */
  readonly applicationName?: string
  /** Refuses any other cluster. Without it, whatever answers at the URL is archived under its own identity. */
  readonly systemIdentifier?: string
  /** A put longer than this breaks the connection. Default 10 s. */
  readonly stallMs?: number
  /** How often an idle server's archive gets a mark that it is complete. Default 10 s. */
  readonly markIntervalMs?: number
  /** The longest wait between attempts. Default 10 s. */
  readonly maxBackoffMs?: number
  readonly clock?: Clock
}

/**
 * Receives WAL into the archive until the signal aborts; then stores what it has, and returns. Connects again, after 100 ms and up to
 * maxBackoffMs, when the connection or the repository fails. Throws what trying again cannot mend: `slot-lost`, `identity-mismatch`,
 * `permission-denied`, `postgres-setting`, `usage`.
 */
export async function receiveWal(
  options: ReceiveOptions,
  onEvent: (event: ReceiverEvent) => void = () => {},
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  checkSlotName(options.slot)
  const { clock = systemClock, maxBackoffMs = 10_000 } = options
  let durable = 0n
  let backoffMs = 100
  let behindHole: StartPosition | undefined
  while (!signal.aborted) {
    try {
      behindHole = await session(
        options,
        behindHole,
        (event) => {
          if (event.type === 'wal-progress') backoffMs = 100
          onEvent(event)
        },
        (lsn) => (durable = lsn),
        signal,
      )
    } catch (error) {
      if (signal.aborted) break
      if (!mayPass(error)) throw error
      const hint = isHoldfastError(error) ? error.hint : undefined
      onEvent({
        type: 'wal-disconnected',
        message: messageOf(error),
        ...(hint === undefined ? {} : { hint }),
        retryInMs: backoffMs,
      })
      await clock.sleep(backoffMs, signal).catch(() => {})
      backoffMs = Math.min(backoffMs * 2, maxBackoffMs)
    }
  }
  onEvent({ type: 'wal-stopped', durableLsn: formatLsn(durable) })
}

const hopeless = new Set([
  'slot-lost',
  'identity-mismatch',
  'permission-denied',
  'usage',
  'internal',
  'object-damaged',
  'wrong-password',
])

function mayPass(error: unknown): boolean {
  if (!isHoldfastError(error)) return true
  return error.retryable || !(hopeless.has(error.code) || error.code === 'postgres-setting')
}

/**
 * One connection's life, over as many timelines as it sees. Ends when it is to stop, or with the position to go on from, when what the archive
 * needs next is gone from the server for good.
 */
async function session(
  options: ReceiveOptions,
  behindHole: StartPosition | undefined,
  onEvent: (event: ReceiverEvent) => void,
  onDurable: (lsn: Lsn) => void,
  signal: AbortSignal,
): Promise<StartPosition | undefined> {
  // Not bound to the signal: after it, what has been received is still stored and acknowledged.
  const connecting = new AbortController()
  const onStop = () => connecting.abort(signal.reason)
  signal.addEventListener('abort', onStop, { once: true })
  await using connection = await openReplication(options.url, connecting.signal, {
    applicationName: options.applicationName ?? options.slot,
  }).finally(() => signal.removeEventListener('abort', onStop))
  const system = await identifySystem(connection)
  if (options.systemIdentifier !== undefined && options.systemIdentifier !== system.systemIdentifier) {
    throw new HoldfastError('identity-mismatch', {
      message: `${connection.location} is cluster ${system.systemIdentifier}, not ${options.systemIdentifier}`,
      hint: 'check the URL; a new cluster needs a new base backup before its WAL is of use',
      details: { expected: options.systemIdentifier, found: system.systemIdentifier },
    })
  }
  const archive = openWalArchive(options.area, system.systemIdentifier)
  const slot = await ensureSlot(connection, options.slot, system)
  if (slot.created) onEvent({ type: 'wal-slot-created', slot: options.slot, restartLsn: formatLsn(slot.lsn) })
  const history = await archiveHistories(connection, archive, system.timeline)
  const { ranges } = await archive.contents()
  let position = behindHole ?? startPosition(history, ranges, slot, system.segmentBytes)
  if (position.diverged) {
    const { timeline, start, end } = position.diverged
    onEvent({ type: 'wal-diverged', timeline, forkLsn: formatLsn(start), archivedTo: formatLsn(end) })
  }
  let floor = position.basis === 'archive' ? position.durable : 0n
  while (!signal.aborted) {
    let followed: Awaited<ReturnType<typeof followTimeline>>
    try {
      followed = await followTimeline(connection, archive, position, floor)
    } catch (error) {
      if (!isRemovedWal(error)) throw error
      return afterHole(position, error)
    }
    const { writer, end } = followed
    floor = writer.durable
    if (end.kind === 'stopped') return undefined
    onEvent({ type: 'wal-timeline', from: position.timeline, to: end.next, forkLsn: formatLsn(end.fork) })
    const next = await archiveHistories(connection, archive, end.next)
    const stored = await archive.contents()
    position = startPosition(next, stored.ranges, slot, system.segmentBytes)
  }
  return undefined

  async function followTimeline(connection: ReplicationConnection, archive: WalArchive, position: StartPosition, floor: Lsn) {
    const copy = await connection.startCopy(
      `START_REPLICATION SLOT "${options.slot}" PHYSICAL ${formatLsn(position.start)} TIMELINE ${position.timeline}`,
    )
    const segment = segmentNumber(position.start, system.segmentBytes)
    for (const { timeline, start, end } of await archive.dropDamaged(position.timeline, segment))
      onEvent({ type: 'wal-damaged', timeline, from: formatLsn(start), to: formatLsn(end) })
    await archive.tidy(position.timeline)
    const known = await archive.readSegment(position.timeline, segment)
    // Before a hole that damage left: what lies behind it is sent again, with what is missing.
    const knownEnd = known?.end ?? position.start
    const durable = position.durable < knownEnd ? position.durable : knownEnd
    const stored = (await archive.contents()).ranges
    let acknowledge: () => void = () => {}
    const writer = new WalWriter({
      archive,
      timeline: position.timeline,
      segmentBytes: system.segmentBytes,
      start: position.start,
      durable,
      known: known?.bytes.subarray(0, Number(durable - position.start)) ?? new Uint8Array(),
      pieces: stored.filter(
        (range) => range.timeline === position.timeline && range.start >= position.start && range.end <= durable,
      ),
      onDurable: (lsn) => {
        onDurable(lsn)
        acknowledge()
      },
      onFailed: (error) => connection.destroy(error),
      onMergeFailed: (error) => onEvent({ type: 'wal-merge-failed', message: messageOf(error) }),
    })
    onEvent({
      type: 'wal-connected',
      systemIdentifier: system.systemIdentifier,
      slot: options.slot,
      timeline: position.timeline,
      startLsn: formatLsn(position.start),
      durableLsn: formatLsn(durable),
    })
    try {
      const end = await receiveStream(
        copy,
        {
          connection,
          writer,
          timeline: position.timeline,
          onEvent,
          floor,
          stallMs: options.stallMs ?? 10_000,
          markIntervalMs: options.markIntervalMs ?? 10_000,
          onDurable: (listener) => (acknowledge = listener),
          ...(options.clock ? { clock: options.clock } : {}),
        },
        signal,
      )
      await writer.settled()
      return { writer, end }
    } catch (error) {
      connection.destroy(error)
      // A put that still hangs must end before another session may put the same bytes.
      await writer.settled()
      throw error
    }
  }

  /** The slot's position, when it is younger than the archive: what lies between is gone. Protection goes on; the hole stays on record. */
  function afterHole(position: StartPosition, error: unknown): StartPosition {
    const kept = segmentStart(slot.lsn, system.segmentBytes)
    if (position.basis === 'slot' || kept <= position.start) throw slotLost(options.slot, connection.location, error)
    onEvent({ type: 'wal-gap', timeline: position.timeline, from: formatLsn(position.durable), to: formatLsn(kept) })
    return { timeline: slot.timeline, start: kept, durable: kept, basis: 'slot', diverged: undefined }
  }
}
