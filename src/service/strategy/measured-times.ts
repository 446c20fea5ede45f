import type { Catalog, Service } from '../../catalog/index.ts'
import { isProof } from '../../objectives/index.ts'
import { readLedgers, type UnseenLedger } from '../read-ledgers.ts'

/** What recoveries and drills of a service took and lost, as its ledgers have it. */
export interface MeasuredTimes {
  of(service: string): { readonly rtaMs: readonly number[]; readonly rpaMs: readonly number[] }
  readonly unseen: readonly UnseenLedger[]
}

interface Times {
  readonly rtaMs?: number | undefined
  readonly rpaMs?: number | undefined
}

/** Only runs that ended well and looked at something; a run that is in the ledgers of several repositories counts once. */
export async function measuredTimes(catalog: Catalog, services: readonly Service[], signal: AbortSignal): Promise<MeasuredTimes> {
  const wanted = new Set(services.map(({ name }) => name))
  const found = new Map<string, Map<string, Times>>()
  const unseen = await readLedgers(
    catalog,
    {
      repositories: Object.keys(catalog.repositories),
      kinds: ['recovery'],
      onRecord: (_repository, record) => {
        if (record.kind !== 'recovery' || record.service === undefined || !wanted.has(record.service)) return
        const { runId, outcome, compared, rtaMs, rpaMs } = record.body
        if (!isProof({ outcome, ...compared })) return
        const runs = found.get(record.service) ?? new Map<string, Times>()
        found.set(record.service, runs.set(runId, { rtaMs, rpaMs }))
      },
    },
    signal,
  )
  return {
    unseen,
    of(service) {
      const own = [...(found.get(service)?.values() ?? [])]
      return {
        rtaMs: own.flatMap(({ rtaMs }) => rtaMs ?? []),
        rpaMs: own.flatMap(({ rpaMs }) => rpaMs ?? []),
      }
    },
  }
}
