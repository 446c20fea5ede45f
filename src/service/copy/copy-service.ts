import type { CopyProgress, CopySummary } from '../../backup/index.ts'
import { findService, type Catalog } from '../../catalog/index.ts'
import { HoldfastError } from '../../kernel/index.ts'
import { selectSnapshots, type SnapshotFilter } from '../../repository/index.ts'
import { openCatalogRepository } from '../open-repository.ts'
import { contextIn } from '../record-evidence.ts'
import { copyAndRecord } from './copy-and-record.ts'

export interface CopyServiceJob {
  readonly catalog: Catalog
  readonly service: string
  /** Only to this one of the service's repositories. */
  readonly to?: string
  /** Besides that they are the service's. */
  readonly filter?: SnapshotFilter
  readonly dryRun?: boolean
}

export type CopyOutcome =
  | { readonly repository: string; readonly summary: CopySummary }
  | { readonly repository: string; readonly error: unknown }

/**
 * Copies a service's snapshots from the first of its repositories to its others. One that fails does not keep the others from getting
 * theirs. Throws `usage` when there is no other, `unknown-service`, `snapshot-not-found`, and what opening the first one throws.
 */
export async function copyService(
  { catalog, service: name, to, filter = {}, dryRun = false }: CopyServiceJob,
  progress: (event: CopyProgress & { readonly repository: string }) => void,
  signal: AbortSignal,
): Promise<{ from: string; outcomes: CopyOutcome[] }> {
  const service = findService(catalog, name)
  const [first, ...others] = service.backup?.to ?? []
  const targets = to === undefined ? others : others.filter((other) => other === to)
  if (first === undefined || targets.length === 0)
    throw new HoldfastError('usage', {
      message: `the service ${name} has no ${to === undefined ? 'second repository' : `repository ${to} behind its first`} to copy to`,
      hint: `name it behind the first: services.${name}.backup.to in the catalog`,
    })
  await using from = await openCatalogRepository(catalog, first, signal)
  const tags = [...(filter.tags ?? []), `service:${name}`]
  const snapshots = await selectSnapshots(from, { filter: { ...filter, tags } }, signal)
  const outcomes: CopyOutcome[] = []
  for (const repository of targets) {
    try {
      await using opened = await openCatalogRepository(catalog, repository, signal)
      const context = { ...contextIn(catalog), service: name }
      const summary = await copyAndRecord(
        { from, to: opened, snapshots, dryRun },
        { from: first, to: repository },
        context,
        (event) => progress({ ...event, repository }),
        signal,
      )
      outcomes.push({ repository, summary })
    } catch (error) {
      signal.throwIfAborted()
      outcomes.push({ repository, error })
    }
  }
  return { from: first, outcomes }
}
