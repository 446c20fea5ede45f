import { expect, test } from 'vitest'
import { formatTimeUs, parseRecoveryTarget, resolveTarget } from './target.ts'
import type { RecoverableWindow } from '../wal/window.ts'

const second = 1_000_000n
const window: RecoverableWindow = {
  backup: { timeline: 1, startLsn: 100n, stopLsn: 200n },
  history: { timeline: 1, forks: [], text: '' },
  start: { lsn: 200n, timeUs: 10n * second },
  end: { lsn: 900n, lastRecord: 850n, lastCommitUs: 20n * second, completeUntilUs: 30n * second },
  endedBy: 'archive-end',
  gap: undefined,
}
const at = (seconds: bigint) => ({ kind: 'time', timeUs: seconds * second }) as const

test('a time without a zone or a time of day is refused: PostgreSQL would take it for another hour', () => {
  for (const text of ['2026-11-23 14:05:00', '2026-11-23T14:05', '2026-11-23']) {
    expect(() => parseRecoveryTarget(text)).toThrowError(
      expect.objectContaining({ code: 'recovery-target', hint: expect.stringContaining('Z for UTC') }),
    )
  }
})

test('what is no time, no position and not latest is refused', () => {
  for (const text of ['', 'yesterday', '2026-06-31T00:00:00Z', '2026-11-23T25:00:00Z', '0/', 'now']) {
    expect(() => parseRecoveryTarget(text)).toThrowError(expect.objectContaining({ code: 'recovery-target' }))
  }
})

test('times keep their microseconds, and their zone counts', () => {
  const time = (text: string) => {
    const target = parseRecoveryTarget(text)
    return target.kind === 'time' ? formatTimeUs(target.timeUs) : target.kind
  }
  expect(time('2026-11-23T14:05:00.123456+01:00')).toBe('2026-11-23T13:05:00.123456Z')
  expect(time('2026-11-23 14:05:00.5-0330')).toBe('2026-11-23T17:35:00.500000Z')
  expect(time('2026-11-23 14:05 +00')).toBe('2026-11-23T14:05:00.000000Z')
  expect(time('2026-11-23 14:05:00 UTC')).toBe('2026-11-23T14:05:00.000000Z')
})

test('within the window a time is the target; after the last commit, while the archive covers it, the end is', () => {
  expect(resolveTarget(window, at(15n)).settings).toMatchObject({ recovery_target_time: '1970-01-01 00:00:15.000000+00' })
  for (const covered of [20n, 25n, 30n]) {
    expect(resolveTarget(window, at(covered))).toEqual({
      settings: { recovery_target_lsn: '0/352', recovery_target_inclusive: 'on' },
      lsn: 900n,
    })
  }
})

test('outside of the window every target is refused, and the refusal says on which side', () => {
  for (const [target, problem] of [
    [at(9n), 'before'],
    [at(31n), 'behind'],
    [{ kind: 'lsn', lsn: 199n }, 'before'],
    [{ kind: 'lsn', lsn: 901n }, 'behind'],
  ] as const) {
    expect(() => resolveTarget(window, target)).toThrowError(
      expect.objectContaining({ code: 'recovery-target', details: expect.objectContaining({ problem }) }),
    )
  }
})

test('a position stops before the record that begins there', () => {
  expect(resolveTarget(window, { kind: 'lsn', lsn: 500n }).settings).toEqual({
    recovery_target_lsn: '0/1F4',
    recovery_target_inclusive: 'off',
  })
})

test('without archived WAL the backup itself is the only state', () => {
  const alone: RecoverableWindow = {
    ...window,
    end: { lsn: 200n, lastRecord: undefined, lastCommitUs: undefined, completeUntilUs: undefined },
  }
  expect(resolveTarget(alone, { kind: 'latest' })).toEqual({ settings: { recovery_target: 'immediate' }, lsn: 200n })
  expect(() => resolveTarget(alone, at(11n))).toThrowError(expect.objectContaining({ code: 'recovery-target' }))
})
