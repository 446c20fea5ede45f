import { describe, expect, test } from 'vitest'
import { catalogOf } from '../../../test/support/marked-catalog.ts'
import type { Plan } from '../../catalog/index.ts'
import { judge, type QuorumRule, type Sight } from '../../detection/index.ts'
import { announcedFor } from './announced.ts'

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
  return { verdict: found.verdict, since: 'since' in found && found.since, ...announcedFor(catalog, plan, found, { forMs, now }) }
}

describe('a window', () => {
  test('excuses what a quorum sees in it only, however long one observer alone had seen it before', () => {
    const planned = { a: '01:00:00', b: '02:01:00', c: '02:01:00' }
    const excused = { verdict: 'down', since: at('01:00:00'), excusedUntil: at('04:01:00') }
    expect(announced(planned, '02:02:30')).toMatchObject({ ...excused, maintenance: { until: at('04:00:00') } })
    expect(announced(planned, '04:00:30')).toMatchObject({ ...excused, countsFrom: at('04:00:00') })
    expect(announced(planned, '04:01:00')).not.toHaveProperty('excusedUntil')
    expect(announced({ a: '01:00:00', b: '01:58:00', c: '02:01:00' }, '02:02:30')).not.toHaveProperty('excusedUntil')
  })

  test('is open for what only one observer sees, whenever that began: without a quorum it is no outage', () => {
    expect(announced({ a: '01:00:00' }, '02:30:00')).toMatchObject({ maintenance: { title: 'new disks' } })
    expect(announced({ a: '02:30:00' }, '04:30:00')).not.toHaveProperty('countsFrom')
  })
})
