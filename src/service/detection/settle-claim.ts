import type { Catalog } from '../../catalog/index.ts'
import { HoldfastError, userName } from '../../kernel/index.ts'
import { openClaims } from './claims.ts'
import { deciderIdentity } from './decider-identity.ts'
import type { WatchedService } from './watched-plan.ts'

/**
 * For a run that has begun on a machine that is lost for good: nobody else can tell that it will never go on, and as long as it may, nothing is
 * started by itself. Throws `usage` for a plan without claims, and `run-not-found` when no such run stands there.
 */
export async function settleClaim(
  catalog: Catalog,
  { plan, claims: declared }: WatchedService,
  { run, why }: { readonly run: string; readonly why: string },
  signal: AbortSignal,
): Promise<void> {
  if (declared === undefined) {
    throw new HoldfastError('usage', {
      message: `the plan ${plan.name} is not claimed: there is nothing to settle`,
      hint: 'with one decider, its own runs are all that count: `holdfast run list`',
    })
  }
  await using claims = openClaims(catalog, plan.name, declared, await deciderIdentity(catalog.file))
  if (await claims.settle(run, `${userName()}: ${why}`, signal)) return
  throw new HoldfastError('run-not-found', {
    message: `no run ${run} has begun under the newest claim of ${plan.name}`,
    hint: '`holdfast detect SERVICE --act` names the one that has',
  })
}
