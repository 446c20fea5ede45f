import type { EvidenceBody } from '../../ledger/index.ts'
import type { DrillInput, PlanInput, PlanOutcome } from '../../recovery/index.ts'

/** What the ledger keeps of a drill besides what it keeps of a recovery: all that a gameday's record is made of. */
export function drillRecord(
  { requestedBy }: PlanInput,
  { scenario, participants, experiment, window, changes, sandbox }: DrillInput,
  { status, steps, failure, drill }: PlanOutcome,
): NonNullable<EvidenceBody<'recovery'>['drill']> {
  return {
    status,
    requestedBy,
    participants: [...participants],
    ...(scenario === undefined ? {} : { scenario }),
    ...(experiment === undefined ? {} : { experiment }),
    ...(window === undefined ? {} : { window }),
    changes: changes.map(({ step, how, because }) => ({ step, how, because })),
    ...(sandbox === undefined
      ? {}
      : {
          isolation: {
            network: sandbox.network,
            ...(sandbox.networkBecause === undefined ? {} : { because: sandbox.networkBecause }),
            allowedSteps: [...sandbox.allowed.steps],
            allowedHosts: [...sandbox.allowed.hosts],
          },
        }),
    ...(drill?.cleanUp === undefined ? {} : { cleanedUp: drill.cleanUp.clean }),
    steps: steps.map(({ id, kind, state, startedAt, endedAt, error }) => ({
      id,
      kind,
      state,
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(endedAt === undefined ? {} : { endedAt }),
      ...(error === undefined ? {} : { error: error.message }),
    })),
    ...(failure === undefined ? {} : { failure: failure.error.message }),
    findings: drill?.findings ?? [],
  }
}
