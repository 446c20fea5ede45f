import type { Plan } from '../../catalog/index.ts'
import { isGood } from '../drill/history.ts'
import { findingsOf } from '../drill/findings.ts'
import type { ChecklistFacts } from './facts.ts'
import { byLints, ofEach, type Answer, type ChecklistItem } from './item.ts'

/** The last quarter. */
const drillMaxAgeMs = 92 * 86_400_000

/** Whether people know what to do, did it before, and hear of what goes wrong. */
export const operationalItems: readonly ChecklistItem[] = [
  {
    code: 'plans',
    area: 'operational',
    says: 'each service has a recovery plan that is checked, and its runbook with it',
    answers: ofEach(byLints(['no-plan', 'nothing-checked'], 'recovery')),
  },
  {
    code: 'drills',
    area: 'operational',
    says: 'every recovery plan ran to its end, and was checked, in the last quarter',
    answers: drilledPlans,
  },
  {
    code: 'drill-findings',
    area: 'operational',
    says: 'what drills have found was dealt with in time',
    answers: (facts) => {
      const { catalog, history, now, unseen } = facts
      const plans = new Set(plansOf(facts).map(({ name }) => name))
      const open = findingsOf(history).findings.filter(({ plan, closed }) => plans.has(plan) && closed === undefined)
      const late = open.filter(({ dueAt }) => Date.parse(dueAt) < now.getTime())
      const of = catalog.name
      const [first] = late
      if (first) {
        const next = `\`holdfast drill findings --close ${first.id} --why REASON\` when it is dealt with`
        return [{ of, state: 'no', because: `${late.length} past their date, first: ${first.message}`, evidence: [], next }]
      }
      if (unseen.length > 0) return [{ of, state: 'unknown', because: 'not all ledgers could be read', evidence: [] }]
      return [
        {
          of,
          state: 'yes',
          because: open.length === 0 ? 'nothing is open' : `${open.length} are open, none past its date`,
          evidence: [],
        },
      ]
    },
  },
  {
    code: 'escalation',
    area: 'operational',
    says: 'it is said who is called for each service, in time for its RTO',
    answers: ofEach(
      byLints(['no-on-call', 'escalation-too-slow'], ({ escalation }) => (escalation.length > 0 ? 'escalation' : 'onCall')),
    ),
  },
  {
    code: 'evidence',
    area: 'operational',
    says: 'every record of the ledgers is whole, and by somebody who is known',
    answers: ({ status, catalog }) =>
      status.repositories.map(({ name: of, because, damagedRecords = [], writers = [] }): Answer => {
        if (because !== undefined) return { of, state: 'unknown', because, evidence: [] }
        const evidence = damagedRecords.map((seq) => ({ repository: of, seq }))
        if (damagedRecords.length > 0) {
          const found = `${damagedRecords.length} records are damaged, or by nobody who is known`
          return { of, state: 'no', because: found, evidence, next: '`holdfast ledger verify`' }
        }
        const names = writers.flatMap(({ name }) => name ?? [])
        if (Object.keys(catalog.ledger.keys).length === 0)
          return {
            of,
            state: 'no',
            because: 'the catalog names no keys: whoever has the password can sign',
            evidence,
            next: '`holdfast ledger keys` says what to write',
          }
        const keys = [{ catalog: 'ledger.keys' }]
        if (names.length === 0)
          return { of, state: 'no', because: 'nobody has signed anything yet', evidence: keys, next: '`holdfast backup`' }
        return { of, state: 'yes', because: `signed by ${names.join(', ')}`, evidence: keys }
      }),
  },
]

function plansOf({ services, catalog }: ChecklistFacts): Plan[] {
  const names = new Set(services.flatMap(({ recovery }) => recovery ?? []))
  return [...names].flatMap((name) => catalog.plans[name] ?? [])
}

function drilledPlans(facts: ChecklistFacts): Answer[] {
  const { services, history, unseen, now, catalog } = facts
  const without = services.filter(({ recovery }) => recovery === undefined)
  return [
    ...plansOf(facts).map(({ name: of }): Answer => {
      // The newest come first.
      const newest = history.drills.find(({ plan, outcome }) => plan === of && outcome !== 'aborted')
      const next = `\`holdfast drill run ${of}\``
      const day = newest?.time.toISOString().slice(0, 10)
      const evidence = newest?.records ?? []
      const isRecent = newest !== undefined && now.getTime() - newest.time.getTime() <= drillMaxAgeMs
      // A newer one that failed may be where nobody could look.
      if (unseen.length > 0 && (newest === undefined || isGood(newest)))
        return { of, state: 'unknown', because: 'not all ledgers could be read', evidence }
      if (newest && isRecent && isGood(newest))
        return { of, state: 'yes', because: `${newest.mode === 'real' ? 'recovery' : 'drill'} of ${day}`, evidence }
      if (newest && isRecent) return { of, state: 'no', because: `the run of ${day} failed, or checked nothing`, evidence, next }
      return { of, state: 'no', because: newest ? `the last run was on ${day}` : 'no run is on record', evidence, next }
    }),
    ...without.map((service): Answer => ({
      of: service.name,
      state: 'no',
      because: 'it has no plan',
      evidence: [],
      next: `write services.${service.name}.recovery of ${catalog.file}`,
    })),
  ]
}
