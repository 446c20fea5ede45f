/** What a receiver reports while it works. Positions in PostgreSQL's form, times in ISO 8601. */
export type ReceiverEvent =
  | {
      readonly type: 'wal-connected'
      readonly systemIdentifier: string
      readonly slot: string
      readonly timeline: number
      /** Where the server begins to send. */
      readonly startLsn: string
      /** What the archive has already. */
      readonly durableLsn: string
    }
  | {
      readonly type: 'wal-progress'
      readonly timeline: number
      readonly receivedLsn: string
      readonly durableLsn: string
      /** The server's own end of WAL, as it last said. */
      readonly serverLsn: string
      /** Bytes the server has that are not durable here. */
      readonly lagBytes: number
      /** All that the server had committed by then is durable here. */
      readonly completeUntil?: string
    }
  | { readonly type: 'wal-slot-created'; readonly slot: string; readonly restartLsn: string }
  | { readonly type: 'wal-gap'; readonly timeline: number; readonly from: string; readonly to: string }
  /** What the archive held of the server's current segment could not be read; it was dropped, and the server sends it again. */
  | { readonly type: 'wal-damaged'; readonly timeline: number; readonly from: string; readonly to: string }
  /** The archive holds WAL of a timeline beyond where the server's line left it: what an old primary wrote and the new one never had. */
  | { readonly type: 'wal-diverged'; readonly timeline: number; readonly forkLsn: string; readonly archivedTo: string }
  | { readonly type: 'wal-timeline'; readonly from: number; readonly to: number; readonly forkLsn: string }
  | { readonly type: 'wal-merge-failed'; readonly message: string }
  | { readonly type: 'wal-disconnected'; readonly message: string; readonly hint?: string; readonly retryInMs: number }
  | { readonly type: 'wal-stopped'; readonly durableLsn: string }
