import {
  findService,
  staleAcceptances,
  weaknessesOf,
  type Catalog,
  type Service,
  type StaleAcceptance,
  type Weakness,
} from '../../catalog/index.ts'
import type { EvidenceBody, EvidenceRecord, LedgerView } from '../../ledger/index.ts'
import { askLedgers } from '../ask-ledgers.ts'
import { historyKinds, historyOf, type DrillHistory, type FoundRecord } from '../drill/history.ts'
import type { UnseenLedger } from '../read-ledgers.ts'
import { readRepositories, statusOf, type StatusReport } from '../status.ts'
import type { Place } from './item.ts'

/** The word of somebody, and where it is on record. */
export interface Attestation extends Omit<EvidenceBody<'attestation'>, 'expiresAt'> {
  readonly service?: string
  readonly time: Date
  readonly expiresAt: Date
  readonly records: readonly Place[]
}

/** What the ledger of a repository says of checks of it. */
export interface CheckFacts {
  /** The last one, whatever it read. */
  readonly last: EvidenceRecord<'check'> | undefined
  /** One that has found damage of which no later one knows better. */
  readonly damage: EvidenceRecord<'check'> | undefined
}

/** All that a checklist is made from. */
export interface ChecklistFacts {
  readonly catalog: Catalog
  readonly now: Date
  /** Those that it is of. */
  readonly services: readonly Service[]
  readonly status: StatusReport
  readonly weaknesses: readonly Weakness[]
  readonly staleAcceptances: readonly StaleAcceptance[]
  readonly history: DrillHistory
  /** By repository; of those that could not be looked into there are none. */
  readonly checks: ReadonlyMap<string, CheckFacts>
  readonly attestations: readonly Attestation[]
  readonly unseen: readonly UnseenLedger[]
}

/** Opens each repository once. One that cannot be is an outcome. Throws `unknown-service`. */
export async function gatherChecklist(
  catalog: Catalog,
  { names = Object.keys(catalog.services), now }: { readonly names?: readonly string[] | undefined; readonly now: Date },
  signal: AbortSignal,
): Promise<ChecklistFacts> {
  const services = names.map((name) => findService(catalog, name))
  await using repositories = await readRepositories(catalog, { now }, signal)
  const { answers, unseen } = await askLedgers(catalog, repositories, readView, signal)
  const records = answers.flatMap(({ repository, answer }) =>
    answer.ofDrills.map((record): FoundRecord => ({ repository, record })),
  )
  const attestations = new Map<string, Attestation & { records: Place[] }>()
  for (const { repository, answer } of answers)
    for (const { seq, time, service, body } of answer.attestations) {
      const known = attestations.get(body.id)
      const expiresAt = new Date(body.expiresAt)
      if (known) known.records.push({ repository, seq })
      else
        attestations.set(body.id, {
          ...body,
          time,
          expiresAt,
          ...(service !== undefined && { service }),
          records: [{ repository, seq }],
        })
    }
  const damage = new Map(repositories.seen.map(({ name, standingDamage }) => [name, standingDamage]))
  return {
    catalog,
    now,
    services,
    status: await statusOf(catalog, repositories, { now, services: names }, signal),
    weaknesses: weaknessesOf(catalog, now),
    staleAcceptances: staleAcceptances(catalog, now),
    history: historyOf(records, Object.keys(catalog.plans), unseen),
    checks: new Map(
      answers.map(({ repository, answer }) => [repository, { last: answer.lastCheck, damage: damage.get(repository) }]),
    ),
    attestations: [...attestations.values()],
    unseen,
  }
}

/** Damaged records are told by the item that is about them. */
function readView(view: LedgerView) {
  const onDamage = () => {}
  const attestations = [...view.records({ kinds: ['attestation'], onDamage })].filter((record) => record.kind === 'attestation')
  const checks = (['structure', 'data'] as const).flatMap((useful) => view.last({ kind: 'check', useful, onDamage }) ?? [])
  return {
    ofDrills: [...view.records({ kinds: historyKinds, order: 'newest-first', onDamage })],
    attestations,
    lastCheck: checks.toSorted((a, b) => b.seq - a.seq)[0],
  }
}
