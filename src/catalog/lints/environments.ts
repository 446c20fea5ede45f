import { chaosEnvironments } from '../experiment.ts'
import { serviceEnvironments } from '../environment.ts'
import type { Lint } from './lint.ts'

/** What is in one environment and leans on another, as far as services say where they are. */
export const environmentLints: readonly Lint[] = [
  {
    code: 'depends-on-lesser-environment',
    title: 'a service depends on one of a lesser environment',
    why: 'What is there for trying things out is stopped, emptied and broken without a word, and production with it.',
    mend: 'Depend on what is in the same environment, or say of the other one that it is in production too.',
    find: ({ services }) =>
      Object.values(services).flatMap(({ name, environment, dependsOn }) =>
        dependsOn.flatMap((other, index) => {
          const below = services[other]?.environment
          if (environment === undefined || below === undefined) return []
          if (serviceEnvironments.indexOf(below) >= serviceEnvironments.indexOf(environment)) return []
          return [
            {
              path: ['services', name, 'dependsOn', index],
              message: `${name} is in ${environment}, and depends on ${other}, which is in ${below}`,
            },
          ]
        }),
      ),
  },
  {
    code: 'experiment-in-greater-environment',
    title: 'an experiment of a lesser environment breaks a service of a greater one',
    why: 'The rules of an experiment (times, approvals, how often it must have passed before) are those of its own environment, and somebody else feels it.',
    mend: 'Give the experiment the environment of its services, or break those of the lesser one.',
    find: ({ services, experiments }) =>
      Object.values(experiments).flatMap(({ name, environment, services: broken }) =>
        broken.flatMap((service, index) => {
          const of = services[service]?.environment
          // Both lists rise alike; `always-on` is production all the time.
          if (of === undefined || serviceEnvironments.indexOf(of) <= chaosEnvironments.indexOf(environment)) return []
          return [
            {
              path: ['experiments', name, 'services', index],
              message: `${name} runs by the rules of ${environment}, and breaks ${service}, which is in ${of}`,
            },
          ]
        }),
      ),
  },
]
