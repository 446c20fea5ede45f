import { HoldfastError, type Json } from '../../kernel/index.ts'
import type { ReplicationState } from '../../postgres/index.ts'
import type { ActionContext } from '../contract.ts'
import { describeServer } from './named-server.ts'
import type { SeenServer } from './survey.ts'

/** Why nobody else takes writes. */
export type FenceEvidence =
  | { readonly kind: 'stopped' | 'closed'; readonly server: string }
  | { readonly kind: 'step'; readonly step: string }

/**
 * Shows that no other server of the standby's cluster takes writes: none that can be seen does, and the one that led is seen to be stopped or
 * closed, or a step of this run has fenced it. `fencedBy` names a step that fences by other means. Throws `fence-unconfirmed` otherwise.
 */
export function requireNoOtherWriter(
  seen: readonly SeenServer[],
  { systemIdentifier, timeline }: Pick<ReplicationState, 'systemIdentifier' | 'timeline'>,
  { outputs }: Pick<ActionContext, 'outputs'>,
  fencedBy?: string,
): FenceEvidence {
  const writer = seen.find(({ sight }) => sight.kind === 'primary')
  if (writer?.sight.kind === 'primary') {
    throw new HoldfastError('fence-unconfirmed', {
      message: `${describeServer(writer.server)} may still take writes: ${writer.sight.because}`,
      hint: 'fence it first, with a step postgres.fence before this one; `acceptDivergence: true` goes on with two primaries, and is recorded',
      details: { server: writer.server.name },
    })
  }
  for (const { server, sight } of seen) {
    // On an earlier timeline than the standby it led once: another has led since, and may still.
    if (sight.kind === 'closed' && sight.state.timeline >= timeline) return { kind: 'closed', server: server.name }
    if (sight.kind === 'stopped' && sight.wasPrimary && sight.timeline >= timeline)
      return { kind: 'stopped', server: server.name }
  }
  const step = fencingStep(outputs, systemIdentifier, fencedBy)
  if (step !== undefined) return { kind: 'step', step }
  throw new HoldfastError('fence-unconfirmed', {
    message:
      'nothing shows that the old primary takes no writes: it cannot be seen from here, and no step of this run has fenced it',
    hint: 'fence it with a step before this one (postgres.fence, or any other, named by `fencedBy`); `acceptDivergence: true` goes on all the same, and is recorded',
  })
}

/** The step of this run that has fenced the cluster's old primary: one whose output says so, or that is said to. */
export function fencingStep(outputs: ActionContext['outputs'], systemIdentifier: string, fencedBy?: string): string | undefined {
  return Object.entries(outputs).find(([step, output]) => step === fencedBy || isFence(output, systemIdentifier))?.[0]
}

/** The databases of a cluster that steps of this run have closed. */
export function closedByFences(outputs: ActionContext['outputs'], systemIdentifier: string): string[] {
  const closed = Object.values(outputs).flatMap((output) => {
    if (!isFence(output, systemIdentifier)) return []
    const { closed } = output as { readonly closed?: Json }
    return Array.isArray(closed) ? closed.filter((name) => typeof name === 'string') : []
  })
  return [...new Set(closed)]
}

function isFence(output: Json | undefined, systemIdentifier: string): boolean {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return false
  const { fenced, systemIdentifier: found } = output as Readonly<Record<string, Json>>
  return fenced === true && found === systemIdentifier
}
