import {
  forgetAndPrune,
  type ForgetReport,
  type GroupKey,
  type KeepRules,
  type PruneOptions,
  type PruneProgress,
  type PruneReport,
} from '../../backup/index.ts'
import { findService, type Catalog, type KeepPolicy } from '../../catalog/index.ts'
import { HoldfastError } from '../../kernel/index.ts'
import type { SnapshotFilter } from '../../repository/index.ts'
import { openCatalogRepository } from '../open-repository.ts'
import { contextIn } from '../record-evidence.ts'
import { recordForgotten, recordPruned } from './record-retention.ts'

export interface ForgetServiceJob {
  readonly catalog: Catalog
  readonly service: string
  /** Only in this one of the service's repositories. */
  readonly repository?: string
  /** Instead of the catalog's. */
  readonly rules?: KeepRules
  /** Besides that they are the service's. */
  readonly filter?: SnapshotFilter
  readonly groupBy?: readonly GroupKey[]
  readonly dryRun?: boolean
  readonly prune?: PruneOptions
  readonly retryLockMs?: number
}

/** What became of one repository. */
export type ForgetOutcome =
  | { readonly repository: string; readonly forgotten: ForgetReport; readonly pruned?: PruneReport }
  | { readonly repository: string; readonly error: unknown }

/**
 * Forgets a service's snapshots in each of its repositories, by the catalog's rules. A repository that fails does not keep the others from
 * theirs. Throws `unknown-service`, and `usage` for a service without rules or without that repository.
 */
export async function forgetService(
  { catalog, service, repository: only, rules, filter = {}, ...job }: ForgetServiceJob,
  progress: (event: PruneProgress & { readonly repository: string }) => void,
  signal: AbortSignal,
): Promise<ForgetOutcome[]> {
  const { backup: declared } = findService(catalog, service)
  const to = declared?.to ?? []
  const names = only === undefined ? to : to.filter((name) => name === only)
  if (names.length === 0)
    throw new HoldfastError('usage', {
      message: `the service ${service} is not backed up to ${only ?? 'any repository'}`,
      hint: to.length === 0 ? `name one: services.${service}.backup.to in the catalog` : `its repositories: ${to.join(', ')}`,
    })
  const kept = rules ?? rulesOfKeep(declared?.keep, service)
  const tags = [...(filter.tags ?? []), `service:${service}`]
  const outcomes: ForgetOutcome[] = []
  for (const name of names) {
    try {
      await using repository = await openCatalogRepository(catalog, name, signal)
      const done = await forgetAndPrune(
        { ...job, repository, rules: kept, filter: { ...filter, tags } },
        (event) => progress({ ...event, repository: name }),
        signal,
      )
      const on = { repository, name, context: { ...contextIn(catalog), service } }
      await recordForgotten(on, done.forgotten, kept, signal)
      if (done.pruned) await recordPruned(on, done.pruned, signal)
      outcomes.push({ repository: name, ...done })
    } catch (error) {
      signal.throwIfAborted()
      outcomes.push({ repository: name, error })
    }
  }
  return outcomes
}

/** What the catalog says of a service. Its `within` is an exact time, not one of the calendar. */
function rulesOfKeep(keep: KeepPolicy | undefined, service: string): KeepRules {
  if (keep === undefined)
    throw new HoldfastError('usage', {
      message: `the catalog does not say which snapshots of ${service} are kept`,
      hint: `add services.${service}.backup.keep, such as { daily: 7, weekly: 5, monthly: 12 }, or give rules here`,
    })
  const { withinMs, ...counts } = keep
  const hours = (withinMs ?? 0) / 3_600_000
  return { counts, ...(withinMs !== undefined && { within: { years: 0, months: 0, days: 0, hours } }) }
}
