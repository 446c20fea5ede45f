import { formatDuration } from '../../kernel/index.ts'
import { holdsData } from '../holds-data.ts'
import type { Lint } from './lint.ts'

/** What a service asks of those that it depends on. */
export const dependencyLints: readonly Lint[] = [
  {
    code: 'dependency-takes-longer',
    title: 'a service depends on something that may be down for longer than the service itself',
    why: 'It cannot be back before that is: its RTO is a wish.',
    mend: 'Give what it depends on a shorter RTO and the means to keep it, allow the service more time, or do without it when it is down.',
    find: ({ services, external }) =>
      Object.values(services).flatMap(({ name, objectives, dependsOn }) =>
        dependsOn.flatMap((other, index) => {
          const rtoMs = services[other]?.objectives.rtoMs ?? external[other]?.assumed.rtoMs
          if (rtoMs === undefined || rtoMs <= objectives.rtoMs) return []
          const how = services[other] === undefined ? 'is assumed to be down for up to' : 'may be down for'
          return [
            {
              path: ['services', name, 'dependsOn', index],
              message: `${name} must be back in ${formatDuration(objectives.rtoMs)}, and depends on ${other}, which ${how} ${formatDuration(rtoMs)}`,
            },
          ]
        }),
      ),
  },
  {
    code: 'dependency-loses-more',
    title: 'a service without data of its own depends on something that may lose more than the service',
    why: 'What it would lose is what is lost there: its RPO is a wish.',
    mend: 'Give the one with the data a shorter RPO, or allow the service to lose more.',
    find: ({ services, external }) =>
      Object.values(services).flatMap((service) => {
        const { name, objectives, dependsOn } = service
        if (holdsData(service)) return []
        return dependsOn.flatMap((other, index) => {
          const holder = services[other]
          const isHolder = holder !== undefined && holdsData(holder)
          const rpoMs = isHolder ? holder.objectives.rpoMs : external[other]?.assumed.rpoMs
          if (rpoMs === undefined || rpoMs <= objectives.rpoMs) return []
          const how = isHolder ? 'may lose' : 'is assumed to lose up to'
          return [
            {
              path: ['services', name, 'dependsOn', index],
              message: `${name} may lose ${formatDuration(objectives.rpoMs)}, and its data is in ${other}, which ${how} ${formatDuration(rpoMs)}`,
            },
          ]
        })
      }),
  },
  {
    code: 'nothing-assumed',
    title: 'nothing is assumed of something external that services depend on',
    why: 'Nobody can say how long those services would be down when it is.',
    mend: 'Write what its contract promises, or what it did so far, under `assumed`.',
    find: ({ services, external }) =>
      Object.values(external).flatMap(({ name, assumed }) =>
        assumed.rtoMs === undefined && Object.values(services).some(({ dependsOn }) => dependsOn.includes(name))
          ? [{ path: ['external', name], message: `services depend on ${name}, and nobody says how long it may be down` }]
          : [],
      ),
  },
]
