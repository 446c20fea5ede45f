import { drillOf, type Catalog } from '../../../catalog/index.ts'
import type { Proposal } from './proposal.ts'

/**
 * Ends with 0 when the newest drill of the plan ended well, is not at its end, or no drill is known and every ledger was read. One that is on no
 * ledger (`unrecorded`) may have ended in any way: nobody can tell.
 */
export const endsWell = String.raw`holdfast --catalog "$0" drill list "$1" --json | grep -Eq '^\{"drills":(\[\],"unseen":\[\]|\[\{[^}]*"state":"(completed|interrupted|running)")'`

/** For each step of each plan that a sandbox does not leave out: the runner dies there, and the drill still comes to a good end. */
export function runnerProposals(catalog: Catalog): Proposal[] {
  return Object.values(catalog.plans).flatMap((plan) => {
    const { name, recovers, steps } = plan
    const { substitute } = drillOf(plan)
    const drilled = steps.filter(({ id }) => substitute[id]?.skip === undefined)
    return drilled.map(({ id }): Proposal => {
      const shows = `a drill of ${name} comes to its end although its runner dies at ${id}`
      return {
        name: `runner-killed-at-${id.replaceAll('/', '-')}-of-${name}`,
        shows,
        service: recovers[0] ?? '',
        services: recovers,
        faults: ['holdfast.runner-kill'],
        about: { plan: name, step: id },
        experiment: {
          description: shows,
          hypothesis: {
            title: `drills of ${name} end well`,
            every: '5s',
            before: '1s',
            after: '5s',
            probes: [{ name: 'the newest did', command: ['sh', '-c', endsWell, catalog.file, name], timeout: '30s' }],
          },
          limit: '1h',
          services: recovers,
          faults: [{ inject: { 'holdfast.runner-kill': { plan: name, step: id } }, for: '10s' }],
        },
      }
    })
  })
}
