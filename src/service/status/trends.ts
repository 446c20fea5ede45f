import type { Catalog, Service } from '../../catalog/index.ts'
import type { EvidenceRecord, LedgerView } from '../../ledger/index.ts'
import { clockToleranceMs, monthlyTrend, startOfMonth, type TrendMonth } from '../../objectives/index.ts'
import { askLedgers } from '../ask-ledgers.ts'
import { experimentsByRun, recoveryShown } from '../recovery-shown.ts'
import type { RepositoryFacts } from './repository-facts.ts'

const months = 12

/** What recoveries and drills of these services achieved in the last twelve months, from the ledgers that could be read. */
export async function readTrends(
  catalog: Catalog,
  {
    services,
    seen,
    now,
  }: { readonly services: readonly string[]; readonly seen: readonly RepositoryFacts[]; readonly now: Date },
  signal?: AbortSignal,
): Promise<Map<string, TrendMonth[]>> {
  const period = { from: startOfMonth(now, 1 - months), to: new Date(now.getTime() + clockToleranceMs) }
  // Damaged places were met and told when the repository was read.
  const ofRuns = { ...period, onDamage: () => {} }
  // Records of the first version are about no service.
  const read = (view: LedgerView) => [
    ...view.records({ ...ofRuns, kinds: ['experiment'] }),
    ...[...services, null].flatMap((service) => [...view.records({ ...ofRuns, kinds: ['recovery'], service })]),
  ]
  const { answers } = await askLedgers(catalog, { seen, unseen: [] }, read, signal)
  const records = answers.flatMap(({ answer }) => answer)
  const experiments = experimentsByRun(records.filter((record) => record.kind === 'experiment'))
  const recoveries = records.filter((record) => record.kind === 'recovery')
  return new Map(
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
}

/** Of the service, or by its plan where a record of the first version names none. */
function isOf({ service, body }: EvidenceRecord<'recovery'>, { name, recovery }: Service): boolean {
  return service === undefined ? body.plan === recovery : service === name
}
