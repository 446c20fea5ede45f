import { expect, test } from 'vitest'
import { catalogOf } from '../../../test/support/marked-catalog.ts'
import type { PlanOutcome } from '../../recovery/index.ts'
import { judgeRecovery } from './judge-recovery.ts'

const catalog = await catalogOf(`version: 1
name: acme
sites: { here: {} }
services:
  db: { owner: me, site: here, data: { files: { paths: [/srv] } }, objectives: { rpo: 30m, rto: 8h }, recovery: back }
  api: { owner: me, site: here, dependsOn: [db], objectives: { rpo: 30m, rto: 8h }, recovery: back }
maintenance: { windows: [{ title: new disks, services: [db], from: '02:00', to: '04:00' }] }
plans:
  back: { recovers: [db, api], steps: [{ id: wait, do: { wait: { for: 1s } } }] }
`)
const at = (time: string) => `2026-11-28T${time}:00.000Z`

/** A run that brought all back up to a moment. */
function outcome({ onset, began, until }: { onset: string; began: string; until: string }): PlanOutcome {
  const rtaMs = Date.parse(at(began)) - Date.parse(at(onset))
  return {
    status: 'succeeded',
    plan: 'back',
    planHash: 'p',
    steps: [
      { step: 'restore', kind: 'files.restore', state: 'done', output: { service: 'db', recoveredUntil: at(until) } } as never,
    ],
    left: [],
    findings: [],
    decisions: [],
    form: 'normal',
    checksPassed: 1,
    timing: {
      onsetAt: at(onset),
      startedAt: at(began),
      endedAt: at(began),
      rtaMs,
      phases: { detect: rtaMs, decide: 0, prepare: 0, restore: 0, replay: 0, verify: 0 },
    },
  }
}

test.each([
  ['counts from the onset', '01:00', '01:10', '00:50', 10],
  ['is nothing where all came back that was written before the onset', '01:00', '01:10', '01:00', 0],
  [
    'of a planned stop counts from the end of what was announced, whatever came back behind the stop',
    '02:00',
    '04:01',
    '03:00',
    60,
  ],
  ['counts from when the run began where that was in the window still', '02:00', '03:30', '03:00', 30],
  ['counts from an onset behind the window', '04:10', '04:11', '04:00', 10],
])('what was lost %s', (_what, onset, began, until, minutes) => {
  const rtaMs = Date.parse(at(began)) - Date.parse(at(onset))
  for (const service of ['db', 'api']) {
    const judged = judgeRecovery(catalog, service, outcome({ onset, began, until }))
    expect(judged).toMatchObject({ rpaMs: minutes * 60_000, rto: { verdict: 'met', actualMs: rtaMs } })
    expect(judged.rpo.verdict).toBe(minutes > 30 ? 'missed' : 'met')
  }
})
