import { z } from 'zod'
import type { Catalog, Service } from '../catalog/index.ts'
import { messageOf, type Json } from '../kernel/index.ts'
import type { EvidenceBody } from '../ledger/index.ts'
import { openCatalogRepository } from './open-repository.ts'
import { contextIn, openRepositoryLedger, recordEvidence } from './record-evidence.ts'
import { repositoriesOf } from './status/service-evidence.ts'

/** Kinds of records of something that has a run: there is one for each service. */
type RunKind = 'recovery' | 'experiment'

export interface RunRecord<Kind extends RunKind> {
  readonly kind: Kind
  readonly service: Service
  readonly body: EvidenceBody<Kind>
  /** Where it is known to be already. */
  readonly known?: readonly RecordPlace[]
}

/** Where a record is, or why it is not there. */
export type RecordPlace = { readonly repository: string; readonly service: string } & (
  | { readonly seq: number }
  | { readonly error: unknown }
)

/**
 * Puts the record of a run into the ledger of every repository that its service is backed up to, or of all of the catalog's, for a service that
 * is backed up to none. Looks first whether it is there: a run that crashed after writing it comes here again. In a disaster some repository may
 * be gone too, which is an outcome.
 */
export async function recordOnce<Kind extends RunKind>(
  catalog: Catalog,
  record: RunRecord<Kind>,
  signal: AbortSignal,
): Promise<RecordPlace[]> {
  const places: RecordPlace[] = []
  for (const repository of repositoriesOf(catalog, record.service)) {
    const place = { repository, service: record.service.name }
    const already = record.known?.find((each) => each.repository === repository && each.service === place.service)
    if (already !== undefined && 'seq' in already) {
      places.push(already)
      continue
    }
    try {
      places.push({ ...place, seq: await recordIn(repository, catalog, record, signal) })
    } catch (error) {
      signal.throwIfAborted()
      places.push({ ...place, error })
    }
  }
  return places
}

/** One as `placeAsJson` writes it of a record that is there. */
export const recordedPlace = z.object({ repository: z.string(), service: z.string(), seq: z.int() })

export function placeAsJson(place: RecordPlace): Json {
  const { repository, service } = place
  return 'seq' in place ? { repository, service, seq: place.seq } : { repository, service, failed: messageOf(place.error) }
}

/** How many of the newest records of its kind are looked at. */
const looked = 100

/** The number of the record. */
async function recordIn<Kind extends RunKind>(
  repository: string,
  catalog: Catalog,
  { kind, service: { name: service }, body }: RunRecord<Kind>,
  signal: AbortSignal,
): Promise<number> {
  await using opened = await openCatalogRepository(catalog, repository, signal)
  const ledger = openRepositoryLedger(opened, catalog)
  // What is damaged, or by nobody who is known, is not this run's record: it must not keep all later evidence away.
  const filter = { kinds: [kind], service, limit: looked, order: 'newest-first', onDamage: () => {} } as const
  for await (const record of ledger.records(filter, signal)) {
    if ((record.kind === 'recovery' || record.kind === 'experiment') && record.body.runId === body.runId) return record.seq
  }
  const context = { ...contextIn(catalog), service }
  return (await recordEvidence(opened, kind, body, context, signal)).seq
}
