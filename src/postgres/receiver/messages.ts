import { HoldfastError } from '../../kernel/index.ts'
import type { Lsn } from '../lsn.ts'
import { postgresEpochUs } from '../wal/records.ts'

/** What the server sends in a physical replication stream (PostgreSQL documentation, "Streaming Replication Protocol"). */
export type StreamMessage =
  | { readonly type: 'wal'; readonly start: Lsn; readonly serverEnd: Lsn; readonly sentAtUs: bigint; readonly bytes: Buffer }
  | { readonly type: 'keepalive'; readonly serverEnd: Lsn; readonly sentAtUs: bigint; readonly replyNow: boolean }

/** Times become microseconds since 1970. Throws `postgres-failed` for what is neither. */
export function decodeStreamMessage(payload: Buffer): StreamMessage {
  const type = payload[0]
  if (type === 0x77 && payload.length >= 25) {
    return {
      type: 'wal',
      start: payload.readBigUInt64BE(1),
      serverEnd: payload.readBigUInt64BE(9),
      sentAtUs: payload.readBigInt64BE(17) + postgresEpochUs,
      bytes: payload.subarray(25),
    }
  }
  if (type === 0x6b && payload.length >= 18) {
    return {
      type: 'keepalive',
      serverEnd: payload.readBigUInt64BE(1),
      sentAtUs: payload.readBigInt64BE(9) + postgresEpochUs,
      replyNow: payload[17] === 1,
    }
  }
  throw new HoldfastError('postgres-failed', {
    message: `the server sent a replication message of type ${type} and ${payload.length} bytes, which is none`,
  })
}

/**
 * A standby status update. Written, flushed and applied are all the durable position: every level of synchronous_commit then waits for the
 * repository's disk, and none waits for ever. A position of 0 says nothing.
 */
export function encodeStatus(durable: Lsn, nowMs: number, replyNow: boolean): Buffer {
  const message = Buffer.alloc(34)
  message.write('r', 0, 'latin1')
  for (const offset of [1, 9, 17]) message.writeBigUInt64BE(durable, offset)
  message.writeBigInt64BE(BigInt(Math.trunc(nowMs)) * 1000n - postgresEpochUs, 25)
  message.writeUInt8(replyNow ? 1 : 0, 33)
  return message
}
