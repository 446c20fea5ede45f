import { expect, test } from 'vitest'
import type { ReplicationState } from '../../postgres/index.ts'
import { requireNoOtherWriter } from './other-writers.ts'
import { leaderPosition, type SeenServer, type Sight } from './survey.ts'

const standby = { systemIdentifier: '7', timeline: 2 }
const stopped = (timeline: number): Sight => ({ kind: 'stopped', wasPrimary: true, systemIdentifier: '7', timeline })
const closed = (timeline: number): Sight => ({ kind: 'closed', state: { ...standby, timeline } as ReplicationState })
const seen = (sights: Readonly<Record<string, Sight>>) =>
  Object.entries(sights).map(([name, sight]) => ({ server: { name, service: 'orders' }, sight }) as SeenServer)

const evidence = (sights: Readonly<Record<string, Sight>>, outputs = {}) => {
  try {
    return requireNoOtherWriter(seen(sights), standby, { outputs })
  } catch (error) {
    return (error as { code: string }).code
  }
}

test('the one that led is seen to be stopped or closed, on the standby’s timeline or one that it has yet to follow', () => {
  for (const timeline of [2, 3]) {
    expect(evidence({ primary: stopped(timeline) })).toEqual({ kind: 'stopped', server: 'primary' })
    expect(evidence({ primary: closed(timeline) })).toEqual({ kind: 'closed', server: 'primary' })
  }
})

test('one that led before is no evidence: who has led since may be alive where nobody here sees it', () => {
  expect(evidence({ primary: stopped(1), east: { kind: 'unseen' } })).toBe('fence-unconfirmed')
  expect(evidence({ primary: closed(1), east: { kind: 'unseen' } })).toBe('fence-unconfirmed')
  expect(evidence({ primary: stopped(1), east: stopped(2) })).toEqual({ kind: 'stopped', server: 'east' })
})

test('a step of this run has fenced it, unless it was of another cluster', () => {
  const unseen = { primary: { kind: 'unseen' } } as const
  expect(evidence(unseen, { cut: { fenced: true, systemIdentifier: '7' } })).toEqual({ kind: 'step', step: 'cut' })
  expect(evidence(unseen, { cut: { fenced: true, systemIdentifier: '8' } })).toBe('fence-unconfirmed')
})

test('whoever takes writes is no evidence that nobody does', () => {
  expect(evidence({ primary: stopped(2), east: { kind: 'primary', because: 'it says so' } })).toBe('fence-unconfirmed')
})

test('how far one came that led before says nothing of what the standby lacks', async () => {
  const at = (timeline: number, lsn: bigint): Sight => ({
    kind: 'closed',
    state: { ...standby, timeline, lsn } as ReplicationState,
  })
  const { signal } = new AbortController()
  expect(await leaderPosition(seen({ primary: at(1, 900n), east: { kind: 'unseen' } }), standby, signal)).toBeUndefined()
  expect(await leaderPosition(seen({ primary: at(1, 900n), east: at(2, 500n) }), standby, signal)).toMatchObject({ lsn: 500n })
})
