import { findService, type Catalog } from '../../catalog/index.ts'
import { HoldfastError, isHoldfastError, randomHex, userName } from '../../kernel/index.ts'
import type { EvidenceBody } from '../../ledger/index.ts'
import { openCatalogRepository } from '../open-repository.ts'
import { contextIn, recordEvidence } from '../record-evidence.ts'
import type { UnseenLedger } from '../read-ledgers.ts'
import { checklistItems } from './checklist.ts'
import type { Place } from './item.ts'

/** Nothing is attested for longer: people and services change. */
const longestMs = 2 * 366 * 86_400_000

export interface AttestRequest {
  readonly item: string
  /** Who says so. */
  readonly by: string
  readonly forMs: number
  readonly note?: string | undefined
  /** Only of this service; absent: of all. */
  readonly service?: string | undefined
  readonly now?: Date
}

export interface Attested extends EvidenceBody<'attestation'> {
  readonly records: readonly Place[]
  /** Repositories whose ledgers have it not. */
  readonly failed: readonly UnseenLedger[]
}

/**
 * Puts somebody's word on record, in the ledgers of all of the catalog's repositories: any of them may be lost. Throws `usage` for what is no
 * item that a person can attest, and what the last repository threw when it is in none.
 */
export async function attest(
  catalog: Catalog,
  { item, by, forMs, note, service, now = new Date() }: AttestRequest,
  signal: AbortSignal,
): Promise<Attested> {
  requirePersonItem(item)
  if (by.trim() === '') throw new HoldfastError('usage', { message: 'nobody is named', hint: 'say with --by whose word it is' })
  if (forMs <= 0 || forMs > longestMs)
    throw new HoldfastError('usage', {
      message: 'an attestation counts for two years at most, and for some time at least',
      hint: 'give --expires between 1d and 731d',
    })
  if (service !== undefined) findService(catalog, service)
  const body: EvidenceBody<'attestation'> = {
    id: randomHex(8),
    item,
    by,
    recordedBy: userName(),
    ...(note === undefined ? {} : { note }),
    expiresAt: new Date(now.getTime() + forMs).toISOString(),
  }
  const records: Place[] = []
  const failed: UnseenLedger[] = []
  let last: unknown = new HoldfastError('not-found', {
    message: 'the catalog names no repository',
    hint: 'a ledger is kept in one: write `repositories`',
  })
  for (const repository of Object.keys(catalog.repositories)) {
    try {
      await using opened = await openCatalogRepository(catalog, repository, signal)
      const context = { ...contextIn(catalog), ...(service === undefined ? {} : { service }) }
      records.push({ repository, seq: (await recordEvidence(opened, 'attestation', body, context, signal)).seq })
    } catch (error) {
      signal.throwIfAborted()
      if (!isHoldfastError(error) || error.code === 'internal') throw error
      last = error
      failed.push({ repository, because: error.message })
    }
  }
  if (records.length === 0) throw last
  return { ...body, records, failed }
}

function requirePersonItem(code: string): void {
  const item = checklistItems.find((each) => each.code === code)
  if (item?.attested) return
  const codes = checklistItems.flatMap((each) => (each.attested ? each.code : [])).join(', ')
  throw new HoldfastError('usage', {
    message: item === undefined ? `the checklist has no item '${code}'` : `'${code}' is looked at, and nobody can attest it`,
    hint: `people attest ${codes}`,
  })
}
