import type { Catalog } from '../../catalog/index.ts'
import { isHoldfastError } from '../../kernel/index.ts'
import { heldAgainst, type Examination, type LedgerVerification } from '../../ledger/index.ts'
import type { Repository } from '../../repository/index.ts'
import { openCatalogRepository } from '../open-repository.ts'
import type { UnseenLedger } from '../read-ledgers.ts'
import { openRepositoryLedger, type LedgerCatalog } from '../record-evidence.ts'

/** The JSON of `holdfast ledger verify --json`. */
export interface LedgersVerification {
  /** `ok`: all of them were looked at, and nothing was found in any; `empty`: none of them holds anything. */
  readonly verdict: LedgerVerification['verdict'] | 'unseen'
  readonly ledgers: readonly VerifiedLedger[]
  readonly unseen: readonly UnseenLedger[]
}

export interface VerifiedLedger extends LedgerVerification {
  /** Its name in the catalog, or its location. */
  readonly repository: string
  /** The repository's, by which other ledgers name it. */
  readonly id: string
}

export interface VerifyOptions {
  /** The hash of a record that must be in one of them. */
  readonly head?: string
  /** Names by public key, besides those of the catalog. */
  readonly keys?: ReadonlyMap<string, string>
}

/** Verifies one ledger by itself. */
export async function verifyLedgerOf(
  { repository, name, catalog }: { repository: Repository; name: string; catalog?: LedgerCatalog },
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<LedgersVerification> {
  return verificationOf([{ name, id: repository.id, ...(await examine(repository, catalog, options, signal)) }], [])
}

/** Verifies the ledgers of all of a catalog's repositories, and holds what their records say of each other against what is there. */
export async function verifyLedgers(catalog: Catalog, options: VerifyOptions, signal: AbortSignal): Promise<LedgersVerification> {
  const examined: Examined[] = []
  const unseen: UnseenLedger[] = []
  for (const name of Object.keys(catalog.repositories)) {
    try {
      await using repository = await openCatalogRepository(catalog, name, signal)
      examined.push({ name, id: repository.id, ...(await examine(repository, catalog, options, signal)) })
    } catch (error) {
      signal.throwIfAborted()
      if (!isHoldfastError(error) || error.code === 'internal') throw error
      unseen.push({ repository: name, because: error.message })
    }
  }
  return verificationOf(examined, unseen)
}

type Examined = Examination & { readonly name: string; readonly id: string }

async function examine(
  repository: Repository,
  catalog: LedgerCatalog | undefined,
  { head, keys = new Map() }: VerifyOptions,
  signal: AbortSignal,
): Promise<Examination> {
  const ledger = openRepositoryLedger(repository, catalog, keys)
  return ledger.examine(head === undefined ? {} : { head }, signal)
}

function verificationOf(examined: readonly Examined[], unseen: readonly UnseenLedger[]): LedgersVerification {
  const ledgers = examined.map((one): VerifiedLedger => {
    const named = examined.flatMap(({ id: knownTo, seen }) => (seen.get(one.id) ?? []).map((head) => ({ ...head, knownTo })))
    return { repository: one.name, id: one.id, ...heldAgainst(one, named) }
  })
  const verdicts = new Set(ledgers.map(({ verdict }) => verdict))
  const verdict = verdicts.has('damaged') ? 'damaged' : unseen.length > 0 ? 'unseen' : verdicts.has('ok') ? 'ok' : 'empty'
  return { verdict, ledgers, unseen }
}
