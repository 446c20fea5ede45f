import type { Catalog } from '../../catalog/index.ts'
import type { UnseenLedger } from '../read-ledgers.ts'
import { attestedItems } from './attested.ts'
import { businessItems } from './business.ts'
import { gatherChecklist, type ChecklistFacts } from './facts.ts'
import { areas, type Answer, type ChecklistItem, type Readiness } from './item.ts'
import { operationalItems } from './operational.ts'
import { technicalItems } from './technical.ts'

const all: readonly ChecklistItem[] = [...businessItems, ...technicalItems, ...operationalItems, ...attestedItems]

/** Area by area. */
export const checklistItems: readonly ChecklistItem[] = areas.flatMap((area) => all.filter((item) => item.area === area))

/** How an item stands: as the worst of its answers. */
export interface CheckedItem extends Omit<ChecklistItem, 'answers'> {
  readonly state: Readiness
  readonly answers: readonly Answer[]
}

/** The JSON of `holdfast checklist --json`. */
export interface Checklist {
  readonly time: Date
  readonly catalog: { readonly name: string; readonly file: string; readonly hash: string }
  /** `yes` only when every item is, or is not needed. */
  readonly state: Readiness
  readonly items: readonly CheckedItem[]
  readonly unseen: readonly UnseenLedger[]
}

/** Whether everything is ready for a recovery, as far as Holdfast can see and people have said. `services`: of these only. */
export async function checkReadiness(
  catalog: Catalog,
  { services, now = new Date() }: { readonly services?: readonly string[] | undefined; readonly now?: Date },
  signal: AbortSignal,
): Promise<Checklist> {
  return readiness(await gatherChecklist(catalog, { now, names: services }, signal))
}

/** The same of facts that were gathered already. */
export function readiness(facts: ChecklistFacts): Checklist {
  const { catalog, now, unseen } = facts
  const items = checklistItems.map((item) => judge(item, facts))
  return {
    time: now,
    catalog: { name: catalog.name, file: catalog.file, hash: catalog.hash },
    state: worst(items.map(({ state }) => state)),
    items,
    unseen,
  }
}

/** Of nothing nothing is so: an empty catalog is not ready. */
function judge({ answers, ...item }: ChecklistItem, facts: ChecklistFacts): CheckedItem {
  const given = facts.services.length === 0 ? [nothing(facts)] : answers(facts)
  return { ...item, state: worst(given.map(({ state }) => state)), answers: given }
}

function nothing({ catalog }: ChecklistFacts): Answer {
  return { of: catalog.name, state: 'no', because: 'the catalog names no service', evidence: [] }
}

/** Doubt is worse than nothing to do, and what is known to be wrong is worse than doubt. */
function worst(states: readonly Readiness[]): Readiness {
  return (['no', 'unknown', 'yes'] as const).find((state) => states.includes(state)) ?? 'not-needed'
}
