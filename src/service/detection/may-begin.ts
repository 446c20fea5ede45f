import type { Catalog } from '../../catalog/index.ts'
import { HoldfastError, isHoldfastError } from '../../kernel/index.ts'
import type { PlanInput } from '../../recovery/index.ts'
import { openClaims } from './claims.ts'
import { deciderIdentity } from './decider-identity.ts'

/**
 * A run that a decider submitted under a claim begins only if that still holds: however long the decider, or its machine, was away between the
 * two. Throws `preflight-failed` when another has taken the incident over, or when that cannot be told.
 */
export async function mayBegin(
  catalog: Catalog,
  { runId, input: { plan, claim } }: { readonly runId: string; readonly input: PlanInput },
  signal: AbortSignal,
): Promise<void> {
  if (claim === undefined) return
  const identity = await deciderIdentity(catalog.file)
  await using claims = openClaims(catalog, plan.name, { repository: claim.repository, expireMs: Infinity }, identity)
  if (await holds()) return
  throw new HoldfastError('preflight-failed', {
    message: `run ${runId} does not begin: its claim was taken over by another decider, or the incident is over`,
    hint: 'nothing was done; the newest claim is on the machine that `holdfast detect SERVICE --act` names',
  })

  async function holds(): Promise<boolean> {
    try {
      return await claims.begin(runId, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (!isHoldfastError(error)) throw error
      throw new HoldfastError('preflight-failed', {
        message: `run ${runId} does not begin: its claim in ${claim?.repository} cannot be looked at: ${error.message}`,
        hint: 'a person decides: `holdfast recover SERVICE` needs no claim',
        cause: error,
      })
    }
  }
}
