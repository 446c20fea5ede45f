import { describe, expect, test } from 'vitest'
import type { DataEvidence, RecoveryFact, RestoreFact, ServiceEvidence, SnapshotFact } from './evidence.ts'
import { serviceStatus } from './service-status.ts'

const now = new Date('2026-06-01T12:00:00Z')
const minute = 60_000
const day = 86_400_000
const ago = (ms: number) => new Date(now.getTime() - ms)
const record = (seq: number) => ({ repository: 'nas', seq })
const planHash = 'a'.repeat(64)
const objectives = { rpoMs: 60 * minute, rtoMs: 15 * minute }

const snapshot = (ageMs: number, more: Partial<SnapshotFact> = {}): SnapshotFact => ({
  repository: 'nas',
  snapshot: `at-${ageMs}`,
  time: ago(ageMs),
  sizeBytes: 1000,
  record: record(1),
  ...more,
})

const recovery = (ageMs: number, more: Partial<RecoveryFact> = {}): RecoveryFact => ({
  time: ago(ageMs),
  planHash,
  outcome: 'completed',
  rtaMs: 5 * minute,
  checks: 3,
  checksFailed: 0,
  record: record(2),
  ...more,
})

const restore = (ageMs: number, more: Partial<RestoreFact> = {}): RestoreFact => ({
  time: ago(ageMs),
  snapshot: 's',
  sizeBytes: 1000,
  durationMs: minute,
  verifiedFiles: 9,
  record: record(3),
  ...more,
})

const data = (more: Partial<DataEvidence>): DataEvidence => ({
  service: 'orders',
  kind: 'files',
  walDeclared: false,
  snapshots: [],
  wal: [],
  restores: [],
  recoveries: [],
  ...more,
})

function statusOf(parts: Partial<DataEvidence>, more: Partial<ServiceEvidence> = {}, at = now) {
  return serviceStatus({
    objectives,
    evidence: { data: [data({ recoveries: more.recoveries ?? [], ...parts })], planHash, recoveries: [], unseen: [], ...more },
    now: at,
  })
}

describe('RPO', () => {
  test('is met by a recent snapshot of data that was recovered and compared before', () => {
    const { rpo, recoverableTo, verdict } = statusOf({ snapshots: [snapshot(30 * minute)] }, { recoveries: [recovery(day)] })
    expect(rpo).toEqual({
      declaredMs: 60 * minute,
      actualMs: 30 * minute,
      basis: 'measured',
      verdict: 'met',
      because: 'within-objective',
      about: { service: 'orders', kind: 'files', byWal: false },
      evidence: [record(1), record(2)],
    })
    expect(recoverableTo).toEqual(ago(30 * minute))
    expect(verdict).toBe('met')
  })

  test('is unknown without any snapshot', () => {
    expect(statusOf({}, { recoveries: [recovery(day)] })).toMatchObject({
      verdict: 'unknown',
      rpo: { basis: 'unknown', verdict: 'unknown', because: 'no-snapshot' },
      rto: { verdict: 'unknown', because: 'not-recoverable' },
    })
  })

  test('is only at risk when nothing was ever restored: a backup is not a recovery', () => {
    expect(statusOf({ snapshots: [snapshot(minute)] }).rpo).toMatchObject({
      actualMs: minute,
      basis: 'estimated',
      verdict: 'at-risk',
      because: 'never-restored',
    })
  })

  test('counts a verified restore as proof, and one that compared nothing not', () => {
    const snapshots = [snapshot(minute)]
    expect(statusOf({ snapshots, restores: [restore(day)] }).rpo).toMatchObject({ basis: 'measured', verdict: 'met' })
    expect(statusOf({ snapshots, restores: [restore(day, { verifiedFiles: 0 })] }).rpo).toMatchObject({
      because: 'never-restored',
    })
  })

  test('is missed by a snapshot that is too old, and at risk above 80 % of the objective', () => {
    const recoveries = [recovery(day)]
    expect(statusOf({ snapshots: [snapshot(61 * minute)] }, { recoveries }).rpo).toMatchObject({
      verdict: 'missed',
      because: 'above-objective',
    })
    expect(statusOf({ snapshots: [snapshot(49 * minute)] }, { recoveries }).rpo).toMatchObject({
      verdict: 'at-risk',
      because: 'near-objective',
    })
    expect(statusOf({ snapshots: [snapshot(48 * minute)] }, { recoveries }).rpo).toMatchObject({ verdict: 'met' })
  })

  test('never counts a future-dated snapshot, and reports it', () => {
    const future = snapshot(-day)
    const alone = statusOf({ snapshots: [future] }, { recoveries: [recovery(day)] })
    expect(alone.rpo).toMatchObject({ verdict: 'unknown', because: 'only-future-dated' })
    expect(alone.findings).toEqual([{ code: 'future-dated', repository: 'nas', snapshot: future.snapshot, time: future.time }])
    const both = statusOf({ snapshots: [future, snapshot(2 * 60 * minute)] }, { recoveries: [recovery(day)] })
    expect(both.rpo).toMatchObject({ actualMs: 120 * minute, verdict: 'missed' })
    expect(both.findings).toHaveLength(1)
  })

  test('takes a clock that is a little ahead as now, not as the future', () => {
    const { rpo, findings } = statusOf({ snapshots: [snapshot(-2000)] }, { recoveries: [recovery(day)] })
    expect(rpo).toMatchObject({ actualMs: 0, verdict: 'met' })
    expect(findings).toEqual([])
  })

  test('is at risk when the snapshot lacks what could not be read', () => {
    expect(statusOf({ snapshots: [snapshot(minute, { skipped: 1 })] }, { recoveries: [recovery(day)] }).rpo).toMatchObject({
      verdict: 'at-risk',
      because: 'incomplete-snapshot',
    })
  })

  test('does not count what is in a repository whose last check found damage', () => {
    const damaged = snapshot(minute, { damaged: true })
    const recoveries = [recovery(day)]
    expect(statusOf({ snapshots: [damaged] }, { recoveries }).rpo).toMatchObject({
      verdict: 'unknown',
      because: 'repository-damaged',
    })
    expect(statusOf({ snapshots: [damaged, snapshot(30 * minute)] }, { recoveries }).rpo).toMatchObject({ actualMs: 30 * minute })
  })

  test('is stale when the proof is older than 90 days, or the last recovery failed', () => {
    const snapshots = [snapshot(minute)]
    expect(statusOf({ snapshots }, { recoveries: [recovery(91 * day)] }).rpo).toMatchObject({
      basis: 'stale',
      verdict: 'at-risk',
      because: 'proof-too-old',
    })
    const failed = [recovery(day, { outcome: 'failed' }), recovery(2 * day)]
    expect(statusOf({ snapshots }, { recoveries: failed }).rpo).toMatchObject({
      verdict: 'at-risk',
      because: 'last-recovery-failed',
    })
  })

  test('of a service is that of the part of its data that is furthest behind', () => {
    const evidence: ServiceEvidence = {
      data: [
        data({ snapshots: [snapshot(minute)], recoveries: [recovery(day)] }),
        data({ service: 'users', snapshots: [snapshot(90 * minute)], recoveries: [recovery(day)] }),
      ],
      planHash,
      recoveries: [recovery(day)],
      unseen: [],
    }
    expect(serviceStatus({ objectives, evidence, now })).toMatchObject({
      rpo: { actualMs: 90 * minute, verdict: 'missed', about: { service: 'users' } },
    })
    const lacking = { ...evidence, data: [...evidence.data, data({ service: 'new' })] }
    expect(serviceStatus({ objectives, evidence: lacking, now })).toMatchObject({
      rpo: { verdict: 'unknown', because: 'no-snapshot' },
    })
  })

  test('of data that another service holds is proven by that service’s recoveries', () => {
    const held = data({ service: 'users', snapshots: [snapshot(minute)], recoveries: [recovery(day)] })
    const evidence: ServiceEvidence = { data: [held], planHash, recoveries: [], unseen: [] }
    expect(serviceStatus({ objectives, evidence, now })).toMatchObject({
      rpo: { verdict: 'met', about: { service: 'users' } },
      rto: { verdict: 'unknown', because: 'never-recovered' },
    })
  })
})

describe('RPO with a WAL archive', () => {
  const base = snapshot(day)
  const wal = { repository: 'nas', from: base.snapshot, coveredUntil: ago(3000), record: record(4) }

  test('reaches to the end of the archive', () => {
    const { rpo, recoverableTo } = statusOf({ walDeclared: true, snapshots: [base], wal: [wal] }, { recoveries: [recovery(day)] })
    expect(rpo).toMatchObject({ actualMs: 3000, basis: 'measured', verdict: 'met', evidence: [record(4), record(2)] })
    expect(recoverableTo).toEqual(wal.coveredUntil)
  })

  test('is that of a newer snapshot only where the archive cannot do better', () => {
    const parts = { walDeclared: true, wal: [wal], recoveries: [recovery(day)] }
    const newer = statusOf({ ...parts, snapshots: [base, snapshot(1000)] })
    expect(newer.rpo).toMatchObject({ actualMs: 3000, verdict: 'met', about: { byWal: true } })
    expect(newer.recoverableTo).toEqual(ago(1000))
    const behind = { ...wal, coveredUntil: ago(2 * 60 * minute) }
    expect(statusOf({ ...parts, wal: [behind], snapshots: [base, snapshot(1000)] }).rpo).toMatchObject({
      actualMs: 1000,
      verdict: 'at-risk',
      because: 'wal-not-archived',
    })
  })

  test('is missed when the archive is behind', () => {
    const behind = { ...wal, coveredUntil: ago(2 * 60 * minute) }
    expect(statusOf({ walDeclared: true, snapshots: [base], wal: [behind] }, { recoveries: [recovery(day)] }).rpo).toMatchObject({
      actualMs: 120 * minute,
      verdict: 'missed',
    })
  })

  test('is not proven by restoring a snapshot: replay was not tried', () => {
    expect(statusOf({ walDeclared: true, snapshots: [base], wal: [wal], restores: [restore(minute)] }).rpo).toMatchObject({
      basis: 'estimated',
      because: 'never-restored',
    })
  })

  test('falls back to the newest snapshot when the archive has nothing to begin at, and says so', () => {
    const fresh = snapshot(20 * minute)
    const recoveries = [recovery(day)]
    expect(statusOf({ walDeclared: true, snapshots: [fresh], wal: [wal] }, { recoveries }).rpo).toMatchObject({
      actualMs: 20 * minute,
      verdict: 'at-risk',
      because: 'wal-not-archived',
    })
    expect(statusOf({ walDeclared: true, snapshots: [base], wal: [] }, { recoveries }).rpo).toMatchObject({ verdict: 'missed' })
  })

  test('never counts coverage from the future', () => {
    const future = { ...wal, coveredUntil: ago(-day) }
    expect(statusOf({ walDeclared: true, snapshots: [base], wal: [future] }, { recoveries: [recovery(day)] }).rpo).toMatchObject({
      actualMs: day,
      verdict: 'missed',
    })
  })
})

describe('RTO', () => {
  const snapshots = [snapshot(minute)]

  test('is the last measured recovery of today’s plan', () => {
    const recoveries = [recovery(3 * day, { rtaMs: 50 * minute }), recovery(day, { rtaMs: 7 * minute })]
    expect(statusOf({ snapshots }, { recoveries }).rto).toEqual({
      declaredMs: 15 * minute,
      actualMs: 7 * minute,
      basis: 'measured',
      measured: { at: recoveries[1]?.time },
      verdict: 'met',
      because: 'within-objective',
      evidence: [record(2)],
    })
  })

  test('is unknown when the service was never recovered', () => {
    expect(statusOf({ snapshots }).rto).toMatchObject({ basis: 'unknown', verdict: 'unknown', because: 'never-recovered' })
  })

  test('is not measured by a run that looked at nothing', () => {
    expect(statusOf({ snapshots }, { recoveries: [recovery(day, { checks: 0 })] }).rto).toMatchObject({
      verdict: 'unknown',
      because: 'nothing-was-checked',
    })
  })

  test('is stale, and no better than at risk, when the plan changed or the run is too old', () => {
    expect(statusOf({ snapshots }, { recoveries: [recovery(day, { planHash: 'b'.repeat(64) })] }).rto).toMatchObject({
      basis: 'stale',
      verdict: 'at-risk',
      because: 'plan-changed',
    })
    expect(statusOf({ snapshots }, { recoveries: [recovery(91 * day)] }).rto).toMatchObject({
      basis: 'stale',
      because: 'proof-too-old',
    })
  })

  test('is missed when the last run failed, though an earlier one was fast', () => {
    const recoveries = [recovery(day), recovery(minute, { outcome: 'failed' })]
    expect(statusOf({ snapshots }, { recoveries }).rto).toMatchObject({ verdict: 'missed', because: 'last-recovery-failed' })
    const aborted = [recovery(day), recovery(minute, { outcome: 'aborted' })]
    expect(statusOf({ snapshots }, { recoveries: aborted }).rto).toMatchObject({ verdict: 'met' })
  })

  test('is estimated from a measured restore rate, never better than at risk', () => {
    const big = [snapshot(minute, { sizeBytes: 5000 })]
    expect(statusOf({ snapshots: big, restores: [restore(day)] }).rto).toMatchObject({
      actualMs: 5 * minute,
      basis: 'estimated',
      verdict: 'at-risk',
      because: 'estimated-from-restore',
      evidence: [record(3)],
    })
    const huge = [snapshot(minute, { sizeBytes: 16_000 })]
    expect(statusOf({ snapshots: huge, restores: [restore(day)] }).rto).toMatchObject({ verdict: 'missed', basis: 'estimated' })
  })

  test('ignores a recovery dated in the future, and reports it', () => {
    const { rto, findings } = statusOf({ snapshots }, { recoveries: [recovery(-day)] })
    expect(rto).toMatchObject({ verdict: 'unknown' })
    expect(findings).toEqual([{ code: 'future-dated-record', record: record(2), time: ago(-day) }])
  })
})

test('a service without declared objectives is unknown, with what was measured', () => {
  const evidence: ServiceEvidence = {
    data: [data({ snapshots: [snapshot(minute)], recoveries: [recovery(day)] })],
    planHash,
    recoveries: [recovery(day)],
    unseen: [],
  }
  expect(serviceStatus({ objectives: {}, evidence, now })).toMatchObject({
    verdict: 'unknown',
    rpo: { actualMs: minute, basis: 'measured', because: 'not-declared' },
    rto: { actualMs: 5 * minute, because: 'not-declared' },
  })
})

test('repositories that could not be looked into are named', () => {
  const { findings, rpo } = statusOf({}, { unseen: [{ repository: 'offsite', because: 'wrong password' }] })
  expect(rpo.because).toBe('repository-unseen')
  expect(findings).toEqual([{ code: 'unseen', repository: 'offsite', because: 'wrong password' }])
})
