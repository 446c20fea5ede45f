import type { Catalog } from '../../../catalog/index.ts'
import { writeDuration } from '../../../kernel/index.ts'
import { failureOf } from './edges.ts'
import { frameOf, urlDraft, type Draft, type Proposal } from './proposal.ts'

/** For each service with a plan: it is lost, the plan must bring it back, and what that loses is counted where it can be. */
export function planProposals(catalog: Catalog): Proposal[] {
  return Object.values(catalog.services).flatMap((service) => {
    const { name, recovery, objectives, data } = service
    if (recovery === undefined) return []
    const { kind, inject } = failureOf(service)
    const shows = `${recovery} brings ${name} back within its RTO`
    const [standby] = Object.values(data.postgres?.standbys ?? {})
    const canary: Draft =
      data.postgres === undefined || standby === undefined
        ? {}
        : {
            canary: {
              url: urlDraft(data.postgres.url),
              readUrl: urlDraft(standby.url),
              table: 'holdfast_canary',
              losesAtMost: writeDuration(objectives.rpoMs),
            },
          }
    return [
      {
        name: `lose-${name}`,
        shows,
        service: name,
        services: [name],
        faults: [kind],
        experiment: {
          ...frameOf(service, shows),
          services: [name],
          faults: [{ inject }],
          drill: recovery,
          ...canary,
          recoversWithin: writeDuration(objectives.rtoMs),
        },
      },
    ]
  })
}
