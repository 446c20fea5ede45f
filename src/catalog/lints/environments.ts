import { chaosEnvironments } from '../experiment.ts'
import { environmentOf, serviceEnvironments } from '../environment.ts'
import type { Catalog } from '../types.ts'
import type { Lint } from './lint.ts'

/** What is in one environment and leans on another. A service that does not say where it is, is in production. */
export const environmentLints: readonly Lint[] = [
  {
    code: 'depends-on-lesser-environment',
    title: 'a service depends on one of a lesser environment',
    why: 'What is there for trying things out is stopped, emptied and broken without a word, and production with it.',
    mend: 'Depend on what is in the same environment, or say of the other one that it is in production too.',
    find: ({ services }) =>
      Object.values(services).flatMap((service) =>
        service.dependsOn.flatMap((name, index) => {
          const other = services[name]
          if (other === undefined) return []
          const [own, below] = [environmentOf(service), environmentOf(other)]
          if (serviceEnvironments.indexOf(below) >= serviceEnvironments.indexOf(own)) return []
          return [
            {
              path: ['services', service.name, 'dependsOn', index],
              message: `${service.name} is in ${own}, and depends on ${name}, which is in ${below}`,
            },
          ]
        }),
      ),
  },
  {
    code: 'experiment-in-greater-environment',
    title:
      'an experiment of a lesser environment breaks a service of a greater one, in a catalog of which some services say where they are',
    why: 'The rules of an experiment (times, approvals, how often it must have passed before) are those of its own environment, and somebody else feels it.',
    mend: 'Give the experiment the environment of its services, or break those of the lesser one.',
    find: ({ services, experiments }) =>
      (saysWhere(services) ? Object.values(experiments) : []).flatMap(({ name, environment, services: broken }) =>
        broken.flatMap((other, index) => {
          const service = services[other]
          if (service === undefined) return []
          const of = environmentOf(service)
          // Both lists rise alike; `always-on` is production all the time.
          if (serviceEnvironments.indexOf(of) <= chaosEnvironments.indexOf(environment)) return []
          return [
            {
              path: ['experiments', name, 'services', index],
              message: `${name} runs by the rules of ${environment}, and breaks ${other}, which is in ${of}`,
            },
          ]
        }),
      ),
  },
]

/** Where no service says it, the catalog may be one of a single environment, which its experiments name. */
function saysWhere(services: Catalog['services']): boolean {
  return Object.values(services).some(({ environment }) => environment !== undefined)
}
