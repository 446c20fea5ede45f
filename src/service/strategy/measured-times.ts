import type { Catalog, Service } from '../../catalog/index.ts'
import type { EvidenceRecord } from '../../ledger/index.ts'
import { isProof } from '../../objectives/index.ts'
import { readLedgers, type UnseenLedger } from '../read-ledgers.ts'
import { experimentsByRun, recoveryShown } from '../recovery-shown.ts'

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
  const recoveries: EvidenceRecord<'recovery'>[] = []
  const experiments: EvidenceRecord<'experiment'>[] = []
  const unseen = await readLedgers(
    catalog,
    {
      repositories: Object.keys(catalog.repositories),
      kinds: ['recovery', 'experiment'],
      onRecord: (_repository, record) => {
        if (record.kind === 'recovery') recoveries.push(record)
        else if (record.kind === 'experiment') experiments.push(record)
        return undefined
      },
    },
    signal,
  )
  const byRun = experimentsByRun(experiments)
  const found = new Map<string, Map<string, Times>>()
  for (const { service, body } of recoveries) {
    if (service === undefined || !wanted.has(service)) continue
    const shown = recoveryShown(body, byRun)
    if (!isProof(shown)) continue
    const runs = found.get(service) ?? new Map<string, Times>()
    found.set(service, runs.set(body.runId, { rtaMs: shown.rtaMs, rpaMs: body.rpaMs }))
  }
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
