import type { Catalog } from '../../catalog/index.ts'
import { recoverablePoints } from '../../objectives/index.ts'
import { codeVersion } from '../recovery/code-version.ts'
import { readRepository } from '../status/repository-facts.ts'
import { gatherEvidence } from '../status/service-evidence.ts'

/** How far one repository alone would bring a service back. */
export interface CopyReach {
  readonly service: string
  readonly repository: string
  /** Absent when it would not. */
  readonly until?: Date
  /** By replaying WAL, beyond a snapshot. */
  readonly byWal?: boolean
  /** From `until` to the onset. */
  readonly lostMs?: number
  /** Why it would not, or what is doubtful about it. */
  readonly because?: string
}

/** What would be lost if the plan ran now, by service and repository: known before anybody decides. Needs no service to be up. */
export async function wouldLose(
  catalog: Catalog,
  services: readonly string[],
  onset: Date,
  signal: AbortSignal,
): Promise<CopyReach[]> {
  const reaches: CopyReach[] = []
  const now = new Date()
  for (const repository of Object.keys(catalog.repositories)) {
    const wanted = services.filter((name) => catalog.services[name]?.backup?.to.includes(repository) === true)
    if (wanted.length === 0) continue
    const facts = await readRepository(catalog, repository, signal)
    if ('because' in facts) {
      reaches.push(...wanted.map((service) => ({ service, repository, because: facts.because })))
      continue
    }
    await using seen = facts
    for (const name of wanted) {
      const service = catalog.services[name]
      if (service === undefined) continue
      const findings = { catalog, seen: [seen], unseen: [], now, codeVersion: codeVersion() }
      const { data } = await gatherEvidence(findings, service, signal)
      const ways = data.map((part) => recoverablePoints(part, now.getTime()))
      const best = ways.map(({ points }) => points.toSorted((a, b) => b.time.getTime() - a.time.getTime())[0])
      const problem = ways.find(({ problem }) => problem !== undefined)?.problem
      // All of its data must come back: the oldest of the newest points bounds it.
      const bound = best.reduce(
        (least, point) => (least === undefined || (point && point.time < least.time) ? point : least),
        best[0],
      )
      if (bound === undefined || problem !== undefined) reaches.push({ service: name, repository, because: problem ?? 'no-data' })
      else {
        reaches.push({
          service: name,
          repository,
          until: bound.time,
          byWal: bound.byWal,
          lostMs: Math.max(0, onset.getTime() - bound.time.getTime()),
          ...(bound.doubt === undefined ? {} : { because: bound.doubt }),
        })
      }
    }
  }
  return reaches
}
