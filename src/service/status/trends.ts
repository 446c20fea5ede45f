import type { Catalog, Service } from '../../catalog/index.ts'
import type { EvidenceRecord, LedgerView } from '../../ledger/index.ts'
import { clockToleranceMs, monthlyTrend, startOfMonth, type TrendMonth } from '../../objectives/index.ts'
import { askLedgers, type OpenRepositories } from '../ask-ledgers.ts'
import { notWhole, type UnseenLedger } from '../read-ledgers.ts'
import { experimentsByRun, recoveryShown } from '../recovery-shown.ts'

const months = 12

export interface Trends {
  readonly byService: ReadonlyMap<string, readonly TrendMonth[]>
  /** Ledgers that could not be read, or not whole: months may lack their runs. */
  readonly unseen: readonly UnseenLedger[]
}

/** What recoveries and drills of these services achieved in the last twelve months, from the ledgers that could be read. */
export async function readTrends(
  catalog: Catalog,
  repositories: OpenRepositories,
  { services, now }: { readonly services: readonly string[]; readonly now: Date },
  signal?: AbortSignal,
): Promise<Trends> {
  const period = { from: startOfMonth(now, 1 - months), to: new Date(now.getTime() + clockToleranceMs) }
  const read = (view: LedgerView) => {
    const damaged = new Set<number>()
    const ofRuns = { ...period, onDamage: ({ seq }: { readonly seq: number }) => damaged.add(seq) }
    // Records of the first version are about no service.
    const ofServices = [...services, null].flatMap((service) => [...view.records({ ...ofRuns, kinds: ['recovery'], service })])
    return { records: [...view.records({ ...ofRuns, kinds: ['experiment'] }), ...ofServices], damaged: damaged.size }
  }
  const { answers, unseen } = await askLedgers(catalog, repositories, read, signal)
  const records = answers.flatMap(({ answer }) => answer.records)
  const experiments = experimentsByRun(records.filter((record) => record.kind === 'experiment'))
  const recoveries = records.filter((record) => record.kind === 'recovery')
  const byService = new Map(
    services.flatMap((name): [string, TrendMonth[]][] => {
      const service = catalog.services[name]
      if (service === undefined) return []
      // A run is in the ledger of each repository once.
      const runs = new Map(recoveries.filter((record) => isOf(record, service)).map((record) => [record.body.runId, record]))
      const achieved = [...runs.values()].map(({ time, body }) => {
        const { rpaMs } = body
        return { time, ...recoveryShown(body, experiments), ...(rpaMs === undefined ? {} : { rpaMs }) }
      })
      return [[name, monthlyTrend(achieved, period)]]
    }),
  )
  const damaged = answers.flatMap(({ repository, answer }) => notWhole(repository, answer.damaged))
  return { byService, unseen: [...unseen, ...damaged] }
}

/** Of the service, or by its plan where a record of the first version names none. */
function isOf({ service, body }: EvidenceRecord<'recovery'>, { name, recovery }: Service): boolean {
  return service === undefined ? body.plan === recovery : service === name
}
