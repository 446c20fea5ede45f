import { userInfo } from 'node:os'
import type { Catalog } from '../../catalog/index.ts'
import { HoldfastError } from '../../kernel/index.ts'
import { openCatalogRepository } from '../open-repository.ts'
import { contextIn, recordEvidence } from '../record-evidence.ts'
import { drillHistory, type DrillHistory } from './history.ts'
import { findingsIn, type KnownFinding } from './known-findings.ts'
import { planNamed } from './prepare.ts'

export interface FindingsReport {
  /** Open ones first, by date; then the closed, newest first. */
  readonly findings: readonly KnownFinding[]
  readonly unseen: DrillHistory['unseen']
}

/** What the drills of a catalog's plans have found. */
export async function drillFindings(catalog: Catalog, name: string | undefined, signal: AbortSignal): Promise<FindingsReport> {
  const plans = name === undefined ? Object.keys(catalog.plans) : [planNamed(catalog, name).name]
  return findingsOf(await drillHistory(catalog, plans, signal))
}

/** The same of a history that was read already. */
export function findingsOf(history: DrillHistory): FindingsReport {
  const all = [...findingsIn(history).values()]
  const open = all.filter(({ closed }) => closed === undefined).toSorted((a, b) => a.dueAt.localeCompare(b.dueAt))
  const closed = all.filter((finding) => finding.closed !== undefined)
  return {
    findings: [...open, ...closed.toSorted((a, b) => (b.closed?.at.getTime() ?? 0) - (a.closed?.at.getTime() ?? 0))],
    unseen: history.unseen,
  }
}

export interface Closing {
  readonly catalog: Catalog
  /** The id of the finding, or the only end of one that is open: `step-skipped/dns`. */
  readonly finding: string
  readonly why: string
  /** Default: the user that runs this. */
  readonly by?: string
}

/** Puts on record that a finding has been dealt with, in every ledger that has it. Throws `not-found` when no open one is called so. */
export async function closeFinding(
  { catalog, finding: id, why, by = userInfo().username }: Closing,
  signal: AbortSignal,
): Promise<KnownFinding> {
  const history = await drillHistory(catalog, Object.keys(catalog.plans), signal)
  const open = [...findingsIn(history).values()].filter(({ closed }) => closed === undefined)
  const [found, ...others] = open.filter((finding) => finding.id === id || finding.id.endsWith(`/${id}`))
  if (found === undefined || others.length > 0) {
    throw new HoldfastError(found === undefined ? 'not-found' : 'usage', {
      message: found === undefined ? `no open finding is called ${id}` : `several open findings end with ${id}`,
      hint:
        open.length === 0
          ? '`holdfast drill findings` lists all of them'
          : `open: ${open.map((finding) => finding.id).join(', ')}`,
    })
  }
  const places = new Set(history.drills.find(({ runId }) => runId === found.runId)?.records.map(({ repository }) => repository))
  const body = { plan: found.plan, runId: found.runId, finding: found.id, state: 'closed', by, why } as const
  for (const repository of places) {
    await using opened = await openCatalogRepository(catalog, repository, signal)
    await recordEvidence(opened, 'drill-finding', body, contextIn(catalog), signal)
  }
  return { ...found, closed: { at: new Date(), by, why } }
}
