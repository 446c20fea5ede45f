import { drillOf } from '../drill.ts'
import { holdsData } from '../holds-data.ts'
import type { Lint } from './lint.ts'

/** How a service is seen to be down, and how it comes back. */
export const planLints: readonly Lint[] = [
  {
    code: 'no-services',
    title: 'the catalog names no service',
    why: 'Nothing is protected and nothing is looked at, so that every check passes.',
    mend: 'Write what must survive under `services`.',
    find: ({ services }) =>
      Object.keys(services).length > 0 ? [] : [{ path: ['services'], message: 'the catalog names no service' }],
  },
  {
    code: 'no-plan',
    title: 'a service has no recovery plan',
    why: 'It comes back by what somebody remembers, in a time that nobody can tell.',
    mend: 'Write a plan and name it with `recovery`, or name one that brings the service back with others.',
    find: ({ services }) =>
      Object.values(services).flatMap(({ name, recovery }) =>
        recovery === undefined ? [{ path: ['services', name], message: `${name} has no recovery plan` }] : [],
      ),
  },
  {
    code: 'no-health-check',
    title: 'nothing says how a service is seen to be well',
    why: 'Neither can it be seen from outside that it is down, nor after a recovery that it is back.',
    mend: 'Write `health`: an address that answers, or a port that is open.',
    find: ({ services }) =>
      Object.values(services).flatMap((service) =>
        service.health === undefined && !holdsData(service)
          ? [{ path: ['services', service.name], message: `nothing says how ${service.name} is seen to be well` }]
          : [],
      ),
  },
  {
    code: 'unused-plan',
    title: 'no service names a plan, and no other plan or experiment uses it',
    why: 'It is not drilled with the others, and nobody finds it on the day.',
    mend: 'Name it with `recovery` of a service, or with `plan` in a step of another plan, or, where it is a failback, with its `recovers`; or remove it.',
    find: ({ services, plans, experiments }) => {
      const named = new Set([
        ...Object.values(services).map(({ recovery }) => recovery),
        ...Object.values(plans).flatMap(({ uses }) => uses),
        ...Object.values(experiments).map(({ drill }) => drill?.plan),
      ])
      return Object.values(plans).flatMap(({ name, recovers }) =>
        named.has(name) || recovers.length > 0 ? [] : [{ path: ['plans', name], message: `nothing uses the plan ${name}` }],
      )
    },
  },
  {
    code: 'never-drilled',
    title: 'the catalog says that a plan is never drilled',
    why: 'It is run for the first time on the day, by people who have never done it.',
    mend: 'Drill it, at least live: `drill: { gameday: 92d }`. What a sandbox cannot hold, `substitute` can replace.',
    find: ({ plans }) =>
      Object.values(plans).flatMap((plan) => {
        const { everyMs, gamedayEveryMs } = drillOf(plan)
        return plan.recovers.length > 0 && everyMs === undefined && gamedayEveryMs === undefined
          ? [{ path: ['plans', plan.name, 'drill'], message: `the plan ${plan.name} is never drilled` }]
          : []
      }),
  },
  {
    code: 'nothing-checked',
    title: 'a plan never looks whether what it did works',
    why: 'Its end proves nothing, and neither does a drill of it.',
    mend: 'End it with a step that looks at the service as its users do (`http.check`, `sql.check`), or give steps a `check`.',
    find: ({ plans }) =>
      Object.values(plans).flatMap(({ name, steps }) =>
        steps.some(({ do: action, check }) => check !== undefined || action.kind.endsWith('.check'))
          ? []
          : [{ path: ['plans', name, 'steps'], message: `the plan ${name} checks nothing` }],
      ),
  },
]
