import { backup, type ArchiveProgress, type BackupSummary, type Source } from '../backup/index.ts'
import { findService, resolveSecret, type Catalog, type Service } from '../catalog/index.ts'
import { HoldfastError } from '../kernel/index.ts'
import type { EvidenceBody, LedgerHead } from '../ledger/index.ts'
import type { Repository } from '../repository/index.ts'
import { createFilesSource, createPostgresSource } from '../sources/index.ts'
import { openCatalogRepository } from './open-repository.ts'
import { recordEvidence } from './record-evidence.ts'

/** One service's backup to one repository. */
export interface ProtectedCopy {
  readonly service: string
  /** The repository's name in the catalog. */
  readonly repository: string
  readonly summary: BackupSummary
  readonly ledger: LedgerHead
}

export interface ProtectOptions {
  /** Read everything again, whatever the parent says. */
  readonly full?: boolean
  readonly tags?: readonly string[]
}

/**
 * Backs a service of the catalog up to each of its repositories, one after the other, and records each in that repository's ledger.
 * Throws `unknown-service` (naming those there are), and `usage` for a service without data or without a repository to go to.
 */
export async function protectService(
  { catalog, service: name, options = {} }: { catalog: Catalog; service: string; options?: ProtectOptions },
  progress: (event: ArchiveProgress & { readonly service: string; readonly repository: string }) => void,
  signal: AbortSignal,
): Promise<ProtectedCopy[]> {
  const service = findService(catalog, name)
  const copies: ProtectedCopy[] = []
  for (const repositoryName of destinations(service)) {
    await using repository = await openCatalogRepository(catalog, repositoryName, signal)
    const source = await serviceSource(service, signal)
    const summary = await backup(
      {
        repository,
        source,
        tags: [`service:${name}`, ...(service.backup?.tags ?? []), ...(options.tags ?? [])],
        ...(options.full === undefined ? {} : { force: options.full }),
      },
      (event) => progress({ ...event, service: name, repository: repositoryName }),
      signal,
    )
    const ledger = await recordBackup(
      repository,
      { source: source.kind, repository: repositoryName, summary },
      { service: name, catalogPath: catalog.file, catalogHash: catalog.hash },
      signal,
    )
    copies.push({ service: name, repository: repositoryName, summary, ledger })
  }
  return copies
}

/** Puts a finished backup on record. */
export async function recordBackup(
  repository: Repository,
  { source, repository: repositoryName, summary }: { source: string; repository: string; summary: BackupSummary },
  context: { readonly service?: string; readonly catalogPath?: string; readonly catalogHash?: string },
  signal?: AbortSignal,
): Promise<LedgerHead> {
  if (summary.snapshot === undefined) throw new HoldfastError('internal', { message: 'a dry run is not evidence' })
  const body: EvidenceBody<'backup'> = {
    source,
    repository: repositoryName,
    snapshot: summary.snapshot,
    snapshotTime: new Date(summary.startedAtMs).toISOString(),
    sizeBytes: summary.totalBytesProcessed,
    files: summary.totalFilesProcessed,
    addedBytes: summary.addedBytes,
    durationMs: summary.durationMs,
    skipped: summary.skipped.length,
    ...(summary.facts === undefined ? {} : { facts: summary.facts as EvidenceBody<'backup'>['facts'] & {} }),
  }
  return recordEvidence(repository, 'backup', body, context, signal)
}

/** What reads a service's data. */
async function serviceSource(service: Service, signal?: AbortSignal): Promise<Source> {
  const { postgres, files } = service.data
  if (postgres !== undefined) {
    const url = typeof postgres.url === 'string' ? postgres.url : (await resolveSecret(postgres.url, signal)).reveal()
    return createPostgresSource({ url, service: service.name })
  }
  if (files !== undefined) return createFilesSource({ paths: files.paths, excludes: files.exclude })
  throw new HoldfastError('usage', {
    message: `the service ${service.name} has no data to back up`,
    hint: `say what it holds: services.${service.name}.data in the catalog`,
  })
}

function destinations(service: Service): readonly string[] {
  const to = service.backup?.to ?? []
  if (to.length > 0) return to
  throw new HoldfastError('usage', {
    message: `the service ${service.name} is backed up to no repository`,
    hint: `name one: services.${service.name}.backup.to in the catalog`,
  })
}
