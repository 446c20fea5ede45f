import { join } from 'node:path'
import type { Catalog } from '../catalog/index.ts'
import { messageOf, notice, systemCode, stateDirectory } from '../kernel/index.ts'
import {
  openLedger,
  openSigner,
  type EvidenceBody,
  type EvidenceKind,
  type Ledger,
  type LedgerHead,
  type Signer,
} from '../ledger/index.ts'
import type { Repository } from '../repository/index.ts'
import { codeVersion } from './recovery/code-version.ts'

export interface EvidenceContext {
  /** The service of the catalog that it is about. */
  readonly service?: string
  /** The catalog in force: its path says where this machine remembers the ledger's head. */
  readonly catalogPath?: string
  readonly catalogHash?: string
  /** Whose evidence counts, where what is on record is read to be recorded again. */
  readonly ledger?: Catalog['ledger']
}

/** What a record says of the catalog that it was written under; of none, nothing. */
export function contextIn(catalog: Catalog | undefined): EvidenceContext {
  return catalog === undefined ? {} : { catalogPath: catalog.file, catalogHash: catalog.hash, ledger: catalog.ledger }
}

/** The catalog that a context is in, as far as a ledger needs it. */
export function catalogIn({ catalogPath, ledger }: EvidenceContext): LedgerCatalog | undefined {
  return catalogPath === undefined ? undefined : { file: catalogPath, ...(ledger === undefined ? {} : { ledger }) }
}

/** The catalog that a ledger is read or written under: where it is, and whose evidence counts. */
export type LedgerCatalog = Pick<Catalog, 'file'> & Partial<Pick<Catalog, 'ledger'>>

/** The ledger of a repository, with this machine's memory of its newest record, and this installation's key. */
export function openRepositoryLedger(
  repository: Repository,
  catalog?: LedgerCatalog,
  moreKeys: ReadonlyMap<string, string> = new Map(),
): Ledger {
  const folder = ledgerFolder(catalog?.file)
  return openLedger(repository.area('holdfast/ledger'), {
    id: repository.id,
    headFile: join(folder, `${repository.id}.json`),
    cacheFile: join(stateDirectory(catalog?.file), 'cache', `ledger-${repository.id}@${codeVersion()}.sqlite`),
    signer: () => signerIn(folder),
    knownKeys: new Map([...moreKeys, ...namesOfKeys(catalog)]),
    onNewKey: (key, before) =>
      notice(
        `evidence is signed by a new key, ${key}: that of ${before} is gone from ${folder}; put it back, or name the new one in the catalog (ledger.keys)`,
      ),
  })
}

function ledgerFolder(catalogPath: string | undefined): string {
  return join(stateDirectory(catalogPath), 'ledger')
}

/** Names by public key. */
export function namesOfKeys(catalog: Partial<Pick<Catalog, 'ledger'>> | undefined): Map<string, string> {
  return new Map(Object.entries(catalog?.ledger?.keys ?? {}).map(([name, key]) => [key, name]))
}

/** The key of this installation, made on first need. Where nothing can be kept there is none, and evidence is unsigned: it says so. */
export async function installationKey(catalogPath?: string): Promise<Signer | undefined> {
  return signerIn(ledgerFolder(catalogPath))
}

async function signerIn(folder: string): Promise<Signer | undefined> {
  try {
    return await openSigner(join(folder, 'signing-key.pem'))
  } catch (error) {
    if (!keyless.has(systemCode(error) ?? '')) throw error
    notice(`evidence is not signed, since no key can be kept: ${messageOf(error)}`)
    return undefined
  }
}

const keyless = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'])

/**
 * Appends what was measured to the repository's ledger: the last thing that a backup, a check, a restore or a recovery does. Durable when
 * it returns. Throws when the storage does: work that is done but not on record must not look like success.
 */
export async function recordEvidence<Kind extends EvidenceKind>(
  repository: Repository,
  kind: Kind,
  body: EvidenceBody<Kind>,
  context: EvidenceContext = {},
  signal?: AbortSignal,
): Promise<LedgerHead> {
  const { service, catalogHash } = context
  return openRepositoryLedger(repository, catalogIn(context)).append(kind, body, {
    ...(service === undefined ? {} : { service }),
    ...(catalogHash === undefined ? {} : { catalogHash }),
    ...(signal === undefined ? {} : { signal }),
  })
}
