import { messageOf } from '../kernel/index.ts'
import type { EvidenceBody } from '../ledger/index.ts'
import type { ReceiverEvent } from '../postgres/index.ts'
import type { Repository } from '../repository/index.ts'
import { recordEvidence, type EvidenceContext } from './record-evidence.ts'

/** What could not be put on record. Receiving goes on: WAL that is stored is worth more than a note of it. */
export interface NotRecorded {
  readonly type: 'wal-not-recorded'
  readonly message: string
}

/**
 * Puts on record when a receiver began and ended, what it found missing, and each new timeline. How far it is in between, the archive itself
 * tells. Never waits for the storage while WAL is received; `settled` does.
 */
export function walRecorder(
  repository: Repository,
  repositoryName: string,
  context: EvidenceContext,
  onFailure: (event: NotRecorded) => void,
) {
  let connection: { systemIdentifier: string; timeline: number; flushedLsn: string } | undefined
  let gap: { from: string; to: string } | undefined
  let writing: Promise<void> = Promise.resolve()
  const record = (event: EvidenceBody<'wal'>['event'], more: Pick<EvidenceBody<'wal'>, 'gap' | 'forkLsn'> = {}) => {
    if (!connection) return
    const body = { event, repository: repositoryName, ...connection, ...more }
    writing = writing.then(async () => {
      try {
        await recordEvidence(repository, 'wal', body, context)
      } catch (error) {
        onFailure({ type: 'wal-not-recorded', message: messageOf(error) })
      }
    })
  }
  return {
    note(event: ReceiverEvent): void {
      if (event.type === 'wal-connected') {
        const { systemIdentifier, timeline, durableLsn } = event
        const again = connection?.systemIdentifier === systemIdentifier && connection.timeline === timeline
        connection = { systemIdentifier, timeline, flushedLsn: durableLsn }
        // A server that comes and goes must not fill the ledger.
        if (!again) record('started')
        if (gap) record('gap', { gap })
        gap = undefined
      } else if (event.type === 'wal-progress' && connection) {
        connection = { ...connection, timeline: event.timeline, flushedLsn: event.durableLsn }
      } else if (event.type === 'wal-gap') {
        // Found out before the connection that begins behind it.
        gap = { from: event.from, to: event.to }
      } else if (event.type === 'wal-timeline' && connection) {
        connection = { ...connection, timeline: event.to }
        record('timeline', { forkLsn: event.forkLsn })
      } else if (event.type === 'wal-stopped' && connection) {
        connection = { ...connection, flushedLsn: event.durableLsn }
        record('stopped')
      }
    },
    settled: () => writing,
  }
}
