import { describe, expect, test } from 'vitest'
import { describeLag, replicationLag } from './lag.ts'
import type { WalReceiverState } from './state.ts'

const streaming = (silentMs: number, senderLsn = 2000n): WalReceiverState => ({
  status: 'streaming',
  senderLsn,
  silentMs,
  heardAt: '2026-11-26T12:00:00.000Z',
  timeline: 1,
  slot: undefined,
  senderHost: undefined,
  senderPort: undefined,
})

describe('how far a standby is behind', () => {
  test('is counted in bytes to what the primary says, before what it last told the standby', () => {
    const standby = { heldLsn: 1000n, receiver: streaming(5) }
    expect(replicationLag(standby, { lsn: 3000n, basis: 'primary' })).toEqual({
      known: true,
      bytes: 2000,
      basis: 'primary',
      primaryLsn: '0/BB8',
    })
    expect(replicationLag(standby)).toEqual({
      known: true,
      bytes: 1000,
      basis: 'wal-receiver',
      primaryLsn: '0/7D0',
      completeUntil: '2026-11-26T12:00:00.000Z',
      ageMs: 5,
    })
  })

  test('of a primary that was only heard is never said to be nothing: it may have written since', () => {
    const silent = { heldLsn: 2000n, receiver: streaming(5000) }
    const lag = replicationLag(silent)
    expect(describeLag(lag)).toBe('what was committed after 2026-11-26T12:00:00.000Z, when the primary was last heard')
    expect(describeLag(replicationLag(silent, { lsn: 2000n, basis: 'primary' }))).toBe('nothing')
  })

  test('is nothing, never less, when the standby has more than the primary’s files', () => {
    expect(replicationLag({ heldLsn: 1010n, receiver: undefined }, { lsn: 1000n, basis: 'primary-files' })).toMatchObject({
      bytes: 0,
    })
  })

  test('is unknown without a connection, after a long silence, and before anything was received, and says why', () => {
    const why = (standby: Parameters<typeof replicationLag>[0]) => {
      const lag = replicationLag(standby)
      return lag.known ? lag : lag.because
    }
    expect(why({ heldLsn: 1000n, receiver: undefined })).toContain('it is connected to no primary')
    expect(why({ heldLsn: 1000n, receiver: streaming(61_000) })).toContain('the primary last said 1 min 1 s ago')
    expect(why({ heldLsn: 1000n, receiver: { ...streaming(5), status: 'waiting' } })).toContain('not streaming (waiting)')
    expect(why({ heldLsn: undefined, receiver: streaming(5) })).toContain('nothing yet')
  })

  test('is bounded by a heartbeat that is recent, and not by one that is old or of the future', () => {
    const silent = { heldLsn: 1000n, receiver: undefined }
    const beat = (ageMs: number) => replicationLag(silent, undefined, { at: '2026-11-26T12:00:00Z', ageMs, maxAgeMs: 30_000 })
    expect(describeLag(beat(10_000))).toBe('what was committed after 2026-11-26T12:00:00Z')
    expect(beat(30_001)).toMatchObject({ known: false })
    expect(beat(-60_000)).toMatchObject({ known: false, because: expect.stringContaining('of the future') as string })
  })
})
