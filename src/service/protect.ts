import { backup, type ArchiveProgress, type BackupSummary, type Source } from '../backup/index.ts'
import { findService, resolveSecret, type Catalog, type Service } from '../catalog/index.ts'
import { HoldfastError } from '../kernel/index.ts'
import type { EvidenceBody, LedgerHead } from '../ledger/index.ts'
import type { Repository } from '../repository/index.ts'
import { createFilesSource, createPostgresSource } from '../sources/index.ts'
import { openCatalogRepository } from './open-repository.ts'
import { contextIn, recordEvidence, type EvidenceContext } from './record-evidence.ts'

/** One part of a service's data in one repository. */
interface Part {
  /** The repository's name in the catalog. */
  readonly repository: string
  /** `postgres` or `files`. */
  readonly source: string
}

export interface ProtectedCopy extends Part {
  readonly service: string
  readonly summary: BackupSummary
  /** Absent for a dry run, which is no evidence. */
  readonly ledger?: LedgerHead
}

export interface FailedCopy extends Part {
  readonly error: unknown
}

export interface ProtectJob {
  readonly catalog: Catalog
  readonly service: string
  /** Only to this one of the service's repositories. */
  readonly repository?: string
  /** Read everything again, whatever the parent says. */
  readonly full?: boolean
  readonly tags?: readonly string[]
  /** Read and count, but store nothing. */
  readonly dryRun?: boolean
}

/**
 * Backs a service of the catalog up, each part of its data to each of its repositories, one after the other, and records each in that
 * repository's ledger. A part or a repository that fails does not keep the others from being backed up: it is among the failures. Throws
 * the first failure when nothing was backed up at all, `unknown-service` (naming those there are), and `usage` for a service without data
 * or without a repository to go to.
 */
export async function protectService(
  job: ProtectJob,
  progress: (event: ArchiveProgress & { readonly service: string; readonly repository: string }) => void,
  signal: AbortSignal,
): Promise<{ copies: ProtectedCopy[]; failures: FailedCopy[] }> {
  const service = findService(job.catalog, job.service)
  const copies: ProtectedCopy[] = []
  const failures: FailedCopy[] = []
  for (const part of partsOf(service, job.repository)) {
    try {
      copies.push(await protectPart({ ...job, service, part }, progress, signal))
    } catch (error) {
      signal.throwIfAborted()
      failures.push({ ...part, error })
    }
  }
  if (copies.length === 0 && failures[0] !== undefined) throw failures[0].error
  return { copies, failures }
}

async function protectPart(
  { catalog, service, part, full, tags = [], dryRun = false }: Omit<ProtectJob, 'service'> & { service: Service; part: Part },
  progress: (event: ArchiveProgress & { readonly service: string; readonly repository: string }) => void,
  signal: AbortSignal,
): Promise<ProtectedCopy> {
  const { name } = service
  await using repository = await openCatalogRepository(catalog, part.repository, signal)
  const source = await sourceOf(service, part, signal)
  const summary = await backup(
    {
      repository,
      source,
      tags: [`service:${name}`, ...(service.backup?.tags ?? []), ...tags],
      dryRun,
      ...(full === undefined ? {} : { force: full }),
    },
    (event) => progress({ ...event, service: name, repository: part.repository }),
    signal,
  )
  if (dryRun) return { service: name, ...part, summary }
  const context = { ...contextIn(catalog), service: name }
  const ledger = await recordBackup(repository, { ...part, summary }, context, signal)
  return { service: name, ...part, summary, ledger }
}

/** Puts a finished backup on record. */
export async function recordBackup(
  repository: Repository,
  { source, repository: repositoryName, summary }: { source: string; repository: string; summary: BackupSummary },
  context: EvidenceContext,
  signal?: AbortSignal,
): Promise<LedgerHead> {
  if (summary.snapshot === undefined) throw new HoldfastError('internal', { message: 'without a snapshot there is no evidence' })
  const body: EvidenceBody<'backup'> = {
    source,
    repository: repositoryName,
    snapshot: summary.snapshot,
    snapshotTime: new Date(summary.timeMs).toISOString(),
    sizeBytes: summary.totalBytesProcessed,
    files: summary.totalFilesProcessed,
    addedBytes: summary.addedBytes,
    durationMs: summary.durationMs,
    skipped: summary.skipped.length,
    ...(summary.facts === undefined ? {} : { facts: summary.facts as EvidenceBody<'backup'>['facts'] & {} }),
  }
  return recordEvidence(repository, 'backup', body, context, signal)
}

/** Throws `usage` when there are none. */
function partsOf({ name, data, backup: declared }: Service, only: string | undefined): Part[] {
  const sources = (['postgres', 'files'] as const).filter((source) => data[source] !== undefined)
  if (sources.length === 0)
    throw new HoldfastError('usage', {
      message: `the service ${name} has no data to back up`,
      hint: `say what it holds: services.${name}.data in the catalog`,
    })
  const to = declared?.to ?? []
  if (to.length === 0)
    throw new HoldfastError('usage', {
      message: `the service ${name} is backed up to no repository`,
      hint: `name one: services.${name}.backup.to in the catalog`,
    })
  if (only !== undefined && !to.includes(only))
    throw new HoldfastError('usage', {
      message: `the service ${name} is not backed up to ${only}`,
      hint: `its repositories: ${to.join(', ')}`,
    })
  const repositories = only === undefined ? to : [only]
  return repositories.flatMap((repository) => sources.map((source) => ({ repository, source })))
}

/** What reads a part of a service's data. */
async function sourceOf({ name, data: { postgres, files } }: Service, { source }: Part, signal: AbortSignal): Promise<Source> {
  if (source === 'postgres' && postgres !== undefined) {
    const url = typeof postgres.url === 'string' ? postgres.url : (await resolveSecret(postgres.url, signal)).reveal()
    return createPostgresSource({ url, service: name })
  }
  if (files !== undefined) return createFilesSource({ paths: files.paths, excludes: files.exclude })
  throw new HoldfastError('internal', { message: `the service ${name} has no ${source}` })
}
