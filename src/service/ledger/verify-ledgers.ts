import type { Catalog } from '../../catalog/index.ts'
import { isHoldfastError } from '../../kernel/index.ts'
import { heldAgainst, type Anchor, type Examination, type Ledger, type LedgerVerification } from '../../ledger/index.ts'
import type { Repository } from '../../repository/index.ts'
import { openCatalogRepository } from '../open-repository.ts'
import type { UnseenLedger } from '../read-ledgers.ts'
import { openRepositoryLedger, type LedgerCatalog } from '../record-evidence.ts'

/** The JSON of `holdfast ledger verify --json`. */
export interface LedgersVerification {
  /** `ok`: all of them were looked at, and nothing was found in any; `empty`: one of them holds nothing, which is not a pass. */
  readonly verdict: LedgerVerification['verdict'] | 'unseen'
  readonly ledgers: readonly VerifiedLedger[]
  readonly unseen: readonly UnseenLedger[]
  /** The head that was given, where it is in none of several ledgers. */
  readonly missingHead?: string
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
  { head, keys }: VerifyOptions,
  signal: AbortSignal,
): Promise<LedgersVerification> {
  const examination = await openRepositoryLedger(repository, catalog, keys).examine(head === undefined ? {} : { head }, signal)
  return verificationOf([{ repository: name, id: repository.id, ...examination.verification }], [])
}

/** Verifies the ledgers of all of a catalog's repositories, and holds what their records say of each other against what is there. */
export async function verifyLedgers(
  catalog: Catalog,
  { head, keys }: VerifyOptions,
  signal: AbortSignal,
): Promise<LedgersVerification> {
  await using stack = new AsyncDisposableStack()
  const examined: Examined[] = []
  const unseen: UnseenLedger[] = []
  for (const name of Object.keys(catalog.repositories)) {
    try {
      const repository = stack.use(await openCatalogRepository(catalog, name, signal))
      const ledger = openRepositoryLedger(repository, catalog, keys)
      const examination = await ledger.examine({}, signal)
      examined.push({ name, id: repository.id, ledger, examination, hashes: new Set(examination.hashes.values()) })
    } catch (error) {
      signal.throwIfAborted()
      if (!isHoldfastError(error) || error.code === 'internal') throw error
      unseen.push({ repository: name, because: error.message })
    }
  }
  const owner = examined.find(({ hashes }) => head !== undefined && hashes.has(head))
  const ledgers: VerifiedLedger[] = []
  for (const one of examined) {
    const anchors: Anchor[] = examined.flatMap(({ id: knownTo, examination }) =>
      (examination.seen.get(one.id) ?? []).map((seen) => ({ ...seen, knownTo })),
    )
    // A head that nobody has is missing from the only ledger, or from all of them together.
    if (head !== undefined && (one === owner || examined.length + unseen.length === 1)) anchors.push({ hash: head })
    ledgers.push({ repository: one.name, id: one.id, ...(await heldAgainstOthers(one, anchors, signal)) })
  }
  const isMissing = head !== undefined && owner === undefined && examined.length + unseen.length > 1
  return verificationOf(ledgers, unseen, isMissing ? head : undefined)
}

interface Examined {
  readonly name: string
  readonly id: string
  readonly ledger: Ledger
  readonly examination: Examination
  /** The hashes of its records. */
  readonly hashes: ReadonlySet<string>
}

/** Another may have written to this ledger since it was looked at, and to one that was looked at after it: that is looked for once more. */
async function heldAgainstOthers(
  { ledger, examination, hashes }: Examined,
  anchors: readonly Anchor[],
  signal: AbortSignal,
): Promise<LedgerVerification> {
  const isComplete = anchors.every(({ hash }) => hashes.has(hash))
  return heldAgainst(isComplete ? examination : await ledger.examine({}, signal), anchors)
}

function verificationOf(
  ledgers: readonly VerifiedLedger[],
  unseen: readonly UnseenLedger[],
  missingHead?: string,
): LedgersVerification {
  const verdicts = new Set(ledgers.map(({ verdict }) => verdict))
  const verdict = (() => {
    if (verdicts.has('damaged')) return 'damaged'
    // What nobody looked into may have the head.
    if (unseen.length > 0) return 'unseen'
    if (missingHead !== undefined) return 'damaged'
    return verdicts.size === 1 && verdicts.has('ok') ? 'ok' : 'empty'
  })()
  return { verdict, ledgers, unseen, ...(missingHead === undefined ? {} : { missingHead }) }
}
