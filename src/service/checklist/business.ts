import { formatDuration } from '../../kernel/index.ts'
import { byLints, inService, ofEach, type ChecklistItem } from './item.ts'

/** Whether it is known what an outage costs, what was promised, and whose promise it is. */
export const businessItems: readonly ChecklistItem[] = [
  {
    code: 'objectives',
    area: 'business',
    says: 'every service has an RPO and an RTO',
    answers: ofEach((service) => {
      const { objectives, declaredBy, tier } = service
      const places = (['rpo', 'rto'] as const).map((objective) =>
        declaredBy[objective] === 'tier'
          ? { catalog: `tiers.${tier ?? ''}.${objective}` }
          : inService(service, `objectives.${objective}`),
      )
      const because = `RPO ${formatDuration(objectives.rpoMs)}, RTO ${formatDuration(objectives.rtoMs)}`
      return { state: 'yes', because, evidence: places }
    }),
  },
  {
    code: 'tiers',
    area: 'business',
    says: 'it is said how important each service is',
    answers: ofEach((service) =>
      service.tier === undefined
        ? { state: 'no', because: 'it has no tier', evidence: [], next: `write services.${service.name}.tier` }
        : { state: 'yes', because: `tier ${service.tier}`, evidence: [inService(service, 'tier')] },
    ),
  },
  {
    code: 'downtime-cost',
    area: 'business',
    says: 'it is known what an hour without each service costs',
    answers: ofEach((service, { catalog }) => {
      const cost = service.downtimeCostPerHour
      if (cost !== undefined)
        return {
          state: 'yes',
          because: `${cost} ${catalog.currency} an hour`,
          evidence: [inService(service, 'downtimeCostPerHour')],
        }
      const next = `write services.${service.name}.downtimeCostPerHour`
      return { state: 'no', because: 'nobody has said what its downtime costs', evidence: [], next }
    }),
  },
  {
    code: 'owners',
    area: 'business',
    says: 'somebody who can be reached answers for each service',
    answers: ofEach(byLints(['no-owner', 'owner-without-contact'], 'owner')),
  },
  {
    code: 'accepted-risks',
    area: 'business',
    says: 'no weakness is accepted beyond the day that it was accepted until',
    answers: ({ catalog, staleAcceptances }) => {
      const evidence = catalog.accepted.map((_risk, index) => ({ catalog: `accepted.${index}` }))
      const [stale] = staleAcceptances
      if (stale === undefined)
        return [
          { of: catalog.name, state: 'yes', because: `${catalog.accepted.length} are accepted, none has run out`, evidence },
        ]
      const risk = catalog.accepted[stale.index]
      const because =
        stale.why === 'expired' ? `${risk?.lint} was accepted until ${risk?.until}` : `there is no lint ${risk?.lint}`
      return [{ of: catalog.name, state: 'no', because, evidence, next: 'mend it, or have it decided anew' }]
    },
  },
]
