import { describe, expect, test } from 'vitest'
import { catalogOf } from '../../../test/support/marked-catalog.ts'
import type { Plan } from '../../catalog/index.ts'
import { judge, type QuorumRule, type Sight } from '../../detection/index.ts'
import { announcedFor } from './announced.ts'
import { lossCountsFrom } from './would-lose.ts'

const catalog = await catalogOf(`version: 1
name: acme
sites: { here: {} }
services:
  shop: { owner: me, site: here, data: { files: { paths: [/srv] } }, objectives: { rpo: 1h, rto: 1h }, recovery: back }
maintenance: { windows: [{ title: new disks, services: [shop], from: '02:00', to: '04:00' }] }
plans:
  back: { recovers: [shop], steps: [{ id: wait, do: { wait: { for: 1s } } }] }
`)
const plan = catalog.plans['back'] as Plan
const forMs = 60_000
const rule: QuorumRule = { observers: ['a', 'b', 'c'], needed: 2, forMs, staleAfterMs: 5000, rule: 'r' }
const at = (time: string) => new Date(`2026-11-28T${time}Z`)

/** What was announced for an outage that these observers have seen since then. */
function announced(seen: Readonly<Record<string, string>>, time: string) {
  const now = at(time)
  const sights = Object.entries(seen).map(([observer, since]): Sight => {
    const held = now.getTime() - at(since).getTime()
    return { observer, epoch: 1, seq: 1, ageMs: 0, rule: 'r', state: 'down', heldMs: held, beganMs: held }
  })
  const found = judge(rule, sights, now)
  const since = 'since' in found ? { since: found.since } : {}
  return { verdict: found.verdict, time: now, ...since, ...announcedFor(catalog, plan, found, { forMs, now }) }
}

describe('a window', () => {
  test('excuses what a quorum sees in it only, however long one observer alone had seen it before', () => {
    const planned = { a: '01:00:00', b: '02:01:00', c: '02:01:00' }
    const excused = { verdict: 'down', since: at('01:00:00'), excusedUntil: at('04:01:00') }
    expect(announced(planned, '02:02:30')).toMatchObject({ ...excused, maintenance: { until: at('04:00:00'), excuses: true } })
    expect(announced(planned, '04:00:30')).toMatchObject({ ...excused, countsFrom: at('04:00:00') })
    expect(announced(planned, '04:01:00')).not.toHaveProperty('excusedUntil')
    expect(announced({ a: '01:00:00', b: '01:58:00', c: '02:01:00' }, '02:02:30')).not.toHaveProperty('excusedUntil')
  })

  test('is open for what only one observer sees, whenever that began: without a quorum it is no outage', () => {
    expect(announced({ a: '01:00:00' }, '02:30:00')).toMatchObject({ maintenance: { title: 'new disks' } })
    expect(announced({ a: '02:30:00' }, '04:30:00')).not.toHaveProperty('countsFrom')
  })
  test('is said where it is open and excuses nothing', () => {
    const before = announced({ b: '01:58:00', c: '01:58:30' }, '02:02:30')
    expect(before).toMatchObject({ maintenance: { title: 'new disks', excuses: false } })
    expect(before).not.toHaveProperty('countsFrom')
    expect(before).not.toHaveProperty('excusedUntil')
  })

  test('in which it was stopped says nothing of when data was lost: what would be lost counts from its end, or from now', () => {
    const lossAt = (seen: Readonly<Record<string, string>>, time: string) => lossCountsFrom(announced(seen, time))
    const planned = { b: '02:01:00', c: '02:01:00' }
    expect(lossAt(planned, '03:00:00')).toEqual(at('03:00:00'))
    expect(lossAt(planned, '04:30:00')).toEqual(at('04:00:00'))
    expect(lossAt({ b: '01:58:00', c: '01:58:30' }, '03:00:00')).toEqual(at('01:58:00'))
    expect(lossAt({ b: '05:00:00', c: '05:00:00' }, '05:30:00')).toEqual(at('05:00:00'))
  })
})
