import type { Catalog } from '../../../catalog/index.ts'
import { faults } from '../../../faults/index.ts'
import { systemClock } from '../../../kernel/index.ts'
import type { UnseenLedger } from '../../read-ledgers.ts'
import { experimentRuns } from '../past-runs.ts'
import { copiesLeftOut, copyProposals } from './copies.ts'
import { edgeProposals } from './edges.ts'
import { planProposals } from './plans.ts'
import type { LeftOut } from './proposal.ts'
import { rank, type RankedProposal } from './rank.ts'
import { runnerProposals } from './runners.ts'

export interface Generated {
  /** The most urgent first. */
  readonly proposals: readonly RankedProposal[]
  readonly leftOut: readonly LeftOut[]
  /** Ledgers that could not be read: what was run is then taken for never run. */
  readonly unseen: readonly UnseenLedger[]
}

/** Experiments that a catalog lacks, from what depends on what, from its plans and from its copies. Those that it has by name are not proposed again. */
export async function generateExperiments(catalog: Catalog, signal: AbortSignal): Promise<Generated> {
  const { runs, unseen } = await experimentRuns(catalog, undefined, signal)
  const known = new Set(faults.map(({ kind }) => kind))
  const proposals = [planProposals, edgeProposals, copyProposals, runnerProposals]
    .flatMap((propose) => propose(catalog))
    .filter((proposal) => !Object.hasOwn(catalog.experiments, proposal.name) && proposal.faults.every((kind) => known.has(kind)))
  return {
    proposals: rank(catalog, proposals, runs, systemClock.now()),
    leftOut: copiesLeftOut(catalog),
    unseen,
  }
}
