import { dependentsOf, type Catalog } from '../../../catalog/index.ts'
import { proofMaxAgeMs } from '../../../objectives/index.ts'
import { hashOf } from '../concerns.ts'
import type { ExperimentRun } from '../history.ts'
import { agrees, type Proposal } from './proposal.ts'

/** Whether something like it was run: with the same services, faults, and what tells these from others. The first is the most urgent. */
export const proofs = ['failed', 'never', 'stale', 'passed'] as const
export type ProofOfProposal = (typeof proofs)[number]

export interface RankedProposal extends Proposal {
  readonly proof: ProofOfProposal
  /** What it costs, an hour, when the service and all that need it are down; absent: the catalog does not say. */
  readonly costPerHour?: number
  /** Services that go down with it, besides itself. */
  readonly dependents: number
  readonly tier?: number
  readonly rtoMs: number
}

/** By what is not proven, then by what is critical: cost of downtime, tier, RTO, and how many services go down with it. */
export function rank(
  catalog: Catalog,
  proposals: readonly Proposal[],
  runs: readonly ExperimentRun[],
  now: Date,
): RankedProposal[] {
  return proposals
    .map((proposal) => ({ ...proposal, proof: proofOf(catalog, proposal, runs, now), ...weightOf(catalog, proposal.service) }))
    .toSorted(
      (a, b) =>
        proofs.indexOf(a.proof) - proofs.indexOf(b.proof) ||
        (b.costPerHour ?? 0) - (a.costPerHour ?? 0) ||
        (a.tier ?? Infinity) - (b.tier ?? Infinity) ||
        a.rtoMs - b.rtoMs ||
        b.dependents - a.dependents ||
        a.name.localeCompare(b.name),
    )
}

function weightOf(catalog: Catalog, name: string): Omit<RankedProposal, keyof Proposal | 'proof'> {
  const dependents = dependentsOf(catalog, name)
  const costs = [...dependents, ...(catalog.services[name] === undefined ? [] : [catalog.services[name]])].flatMap(
    ({ downtimeCostPerHour }) => downtimeCostPerHour ?? [],
  )
  const { tier, objectives } = catalog.services[name] ?? {}
  return {
    ...(costs.length === 0 ? {} : { costPerHour: costs.reduce((sum, cost) => sum + cost, 0) }),
    ...(tier === undefined ? {} : { tier }),
    dependents: dependents.length,
    rtoMs: objectives?.rtoMs ?? 0,
  }
}

/** The newest run that showed something of an experiment that the catalog has, unchanged, and that does the same. */
function proofOf(catalog: Catalog, proposal: Proposal, runs: readonly ExperimentRun[], now: Date): ProofOfProposal {
  const alike = new Set(
    Object.values(catalog.experiments)
      .filter(({ services, faults, drill }) => {
        const { about = {} } = proposal
        const wanted = (proposal.experiment as { readonly drill?: unknown }).drill
        return (
          proposal.services.every((service) => services.includes(service)) &&
          proposal.faults.every((wantedKind) =>
            faults.some(({ kind, params }) => kind === wantedKind && agrees(about, params)),
          ) &&
          (wanted === undefined || drill?.plan === wanted)
        )
      })
      .map((experiment) => hashOf(catalog, experiment)),
  )
  const last = runs.findLast(({ hash, verdict }) => alike.has(hash) && (verdict === 'pass' || verdict === 'fail'))
  if (last === undefined) return 'never'
  if (last.verdict === 'fail') return 'failed'
  return now.getTime() - Date.parse(last.at) > proofMaxAgeMs ? 'stale' : 'passed'
}
