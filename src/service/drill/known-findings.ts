import type { Catalog } from '../../catalog/index.ts'
import type { DrillFinding, Found } from '../../recovery/index.ts'
import { drillHistory, type DrillHistory } from './history.ts'

/** What earlier drills of a plan have found, by the finding's id: the newest record that has it. */
export interface KnownFinding extends Omit<DrillFinding, 'code'> {
  readonly code: string
  readonly plan: string
  /** The newest drill that found it. */
  readonly runId: string
  readonly foundAt: Date
  /** Of the plan then. */
  readonly planHash: string
  readonly closed?: { readonly at: Date; readonly by: string; readonly why: string }
}

/** Findings of all drills in a history; one that a later drill found again counts by that one, and is open again. */
export function findingsIn({ drills, closings }: Pick<DrillHistory, 'drills' | 'closings'>): Map<string, KnownFinding> {
  const known = new Map<string, KnownFinding>()
  for (const drill of drills.toSorted((a, b) => a.time.getTime() - b.time.getTime())) {
    for (const finding of drill.findings) {
      known.set(finding.id, {
        ...finding,
        plan: drill.plan,
        runId: drill.runId,
        foundAt: drill.time,
        planHash: drill.planHash,
      })
    }
  }
  for (const [id, finding] of known) {
    const closing = closings.findLast((entry) => entry.finding === id && entry.at >= finding.foundAt)
    if (closing !== undefined) known.set(id, { ...finding, closed: { at: closing.at, by: closing.by, why: closing.why } })
  }
  return known
}

/** What cannot be looked into is not known: the finding then counts as new. */
export async function knownFindings(
  catalog: Catalog,
  plan: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, KnownFinding>> {
  const { drills, closings } = await drillHistory(catalog, [plan], signal)
  return findingsIn({ drills, closings })
}

const unproven: ReadonlySet<string> = new Set(['step-skipped', 'step-replaced', 'step-answered'])

/**
 * Found things with who answers for them and until when. One that was open before keeps its date: finding it again gives nobody more time.
 * That the same plan leaves a step out, once somebody has closed it as accepted, is not found again until the plan changes.
 */
export function ownedFindings(
  found: readonly Found[],
  known: ReadonlyMap<string, KnownFinding>,
  {
    owner,
    dueMs,
    planHash,
    now,
  }: { readonly owner: string; readonly dueMs: number; readonly planHash: string; readonly now: Date },
): DrillFinding[] {
  return found.flatMap((finding) => {
    const before = known.get(finding.id)
    const isAccepted = before?.closed !== undefined && before.planHash === planHash && before.message === finding.message
    if (isAccepted && unproven.has(finding.code)) return []
    const open = before !== undefined && before.closed === undefined ? before : undefined
    return [{ ...finding, owner: open?.owner ?? owner, dueAt: open?.dueAt ?? new Date(now.getTime() + dueMs).toISOString() }]
  })
}
