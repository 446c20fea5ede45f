import type { Catalog } from '../../catalog/index.ts'
import { recoverablePoints, type DataEvidence } from '../../objectives/index.ts'
import { codeVersion } from '../recovery/code-version.ts'
import { readRepository } from '../status/repository-facts.ts'
import { dataHolders, gatherEvidence, repositoriesOf } from '../status/service-evidence.ts'
import type { Detection } from './detect.ts'

/** How far one repository alone would bring a service back. */
export interface CopyReach {
  readonly service: string
  readonly repository: string
  /** Absent when it would not. */
  readonly until?: Date
  /** By replaying WAL, beyond a snapshot. */
  readonly byWal?: boolean
  /** From `until` to when the loss counts from: see lossCountsFrom. */
  readonly lostMs?: number
  /** Why it would not, or what is doubtful about it. */
  readonly because?: string
}

/** The onset; where that fell into announced maintenance the end of it, or now while it lasts: a stop on purpose says nothing of when data was lost. */
export function lossCountsFrom({
  maintenance,
  countsFrom,
  since,
  time,
}: Pick<Detection, 'maintenance' | 'countsFrom' | 'since' | 'time'>): Date {
  return countsFrom ?? (maintenance?.excuses === true ? time : (since ?? time))
}

/**
 * What would be lost if the plan ran now, for each service that holds data of those recovered, from each repository alone: known before anybody
 * decides. Needs no service to be up.
 */
export async function wouldLose(
  catalog: Catalog,
  services: readonly string[],
  countsFrom: Date,
  signal: AbortSignal,
): Promise<CopyReach[]> {
  const recovered = services.flatMap((name) => catalog.services[name] ?? [])
  const holders = new Set(recovered.flatMap((service) => dataHolders(catalog, service)))
  const reaches: CopyReach[] = []
  for (const repository of Object.keys(catalog.repositories)) {
    const held = [...holders].filter((service) => repositoriesOf(catalog, service).includes(repository))
    if (held.length === 0) continue
    const facts = await readRepository(catalog, repository, { now: new Date() }, signal)
    if ('because' in facts) {
      reaches.push(...held.map(({ name }) => ({ service: name, repository, because: facts.because })))
      continue
    }
    await using seen = facts
    for (const service of held) {
      const now = new Date()
      const findings = { catalog, seen: [seen], unseen: [], now, codeVersion: codeVersion() }
      const { data } = await gatherEvidence(findings, service, signal)
      reaches.push({ service: service.name, repository, ...reachOf(data, now, countsFrom) })
    }
  }
  return reaches
}

/** All of its data must come back: the part that reaches least far bounds it. */
function reachOf(data: readonly DataEvidence[], now: Date, countsFrom: Date): Omit<CopyReach, 'service' | 'repository'> {
  const ways = data.map((part) => recoverablePoints(part, now.getTime()))
  const problem = ways.find((way) => way.problem !== undefined)?.problem
  if (problem !== undefined) return { because: problem }
  const newest = ways.flatMap(({ points }) => points.toSorted((a, b) => b.time.getTime() - a.time.getTime()).slice(0, 1))
  const [bound] = newest.toSorted((a, b) => a.time.getTime() - b.time.getTime())
  if (bound === undefined) return {}
  const { time, byWal, doubt } = bound
  const lostMs = Math.max(0, countsFrom.getTime() - time.getTime())
  return { until: time, byWal, lostMs, ...(doubt === undefined ? {} : { because: doubt }) }
}
