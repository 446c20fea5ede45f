import { expect, test } from 'vitest'
import { leadOpinion } from './lead-opinion.ts'
import type { Sight } from './survey.ts'

const own = { systemIdentifier: '7', timeline: 2 }
type State = NonNullable<Extract<Sight, { kind: 'standby' }>['state']>
const state = (timeline: number, systemIdentifier = '7') => ({ systemIdentifier, timeline }) as State
const stopped = (timeline: number, wasPrimary: boolean): Sight => ({
  kind: 'stopped',
  wasPrimary,
  systemIdentifier: '7',
  timeline,
})

test('a standby that has seen no later leader is no reason against it, and one that has is', () => {
  expect(leadOpinion({ kind: 'standby', state: state(2) }, own)).toBe('behind')
  expect(leadOpinion({ kind: 'standby', state: state(1) }, own)).toBe('behind')
  expect(leadOpinion({ kind: 'standby', state: state(3) }, own)).toBe('led-since')
})

test('another primary is one, on whatever timeline, whether it answers or not', () => {
  expect(leadOpinion({ kind: 'primary', state: state(3), because: 'open' }, own)).toBe('leads')
  expect(leadOpinion({ kind: 'primary', state: state(1), because: 'open' }, own)).toBe('leads')
  expect(leadOpinion({ kind: 'primary', because: 'a process works on it' }, own)).toBe('leads')
})

test('a primary that was stopped or closed later, or on the same timeline, has led since', () => {
  expect(leadOpinion(stopped(3, true), own)).toBe('led-since')
  expect(leadOpinion(stopped(2, true), own)).toBe('led-since')
  expect(leadOpinion(stopped(1, true), own)).toBe('behind')
  expect(leadOpinion(stopped(2, false), own)).toBe('behind')
  expect(leadOpinion(stopped(3, false), own)).toBe('led-since')
  expect(leadOpinion({ kind: 'closed', state: state(2) }, own)).toBe('led-since')
  expect(leadOpinion({ kind: 'closed', state: state(1) }, own)).toBe('behind')
})

test('what cannot be looked at, or does not say where it stands, is not known', () => {
  expect(leadOpinion({ kind: 'unseen' }, own)).toBe('unseen')
  expect(leadOpinion({ kind: 'standby' }, own)).toBe('unseen')
})

test('a server of another cluster says nothing for this one', () => {
  expect(leadOpinion({ kind: 'standby', state: state(1, '8') }, own)).toBe('other-cluster')
  expect(leadOpinion({ kind: 'primary', state: state(1, '8'), because: 'open' }, own)).toBe('other-cluster')
})
