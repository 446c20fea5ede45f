import { approversOf } from '../approvers.ts'
import { titleOf } from '../contact.ts'
import type { Catalog } from '../types.ts'
import type { Lint } from './lint.ts'
import { allAt, eachCall, lostSites } from './lost.ts'

/** Whether who and what a recovery needs is there when the site is not: credentials, names, the machine that runs it, people. */
export const needLints: readonly Lint[] = [
  {
    code: 'needs-what-is-lost',
    title: 'a plan needs something that is lost in the disaster that it is for',
    why: 'A vault that burned with the site gives no password, and a name server there moves no name.',
    mend: 'Have it at another site too, or let the plan bring it back first, by a plan of its own that does not need it.',
    find: (catalog) =>
      Object.values(catalog.plans).flatMap((plan) => {
        const lost = lostSites(catalog, plan)
        return plan.needs.flatMap((name, index) => {
          const site = siteOf(catalog, name)
          const why = plan.recovers.includes(name)
            ? 'which it is to bring back'
            : site !== undefined && lost.has(site)
              ? `which is at ${site}, as what it recovers`
              : undefined
          if (why === undefined) return []
          return [{ path: ['plans', plan.name, 'needs', index], message: `the plan ${plan.name} needs ${name}, ${why}` }]
        })
      }),
  },
  {
    code: 'runner-at-lost-site',
    title: 'every machine that recoveries are run on stands where a plan recovers from',
    why: 'When the site is lost, so is what would run the plan, with the secrets that are kept there.',
    mend: 'Have a machine elsewhere that can run it (the catalog, the program, the secrets), and name it in `runners`.',
    find: (catalog) => {
      const runners = Object.values(catalog.runners)
      return Object.values(catalog.plans).flatMap((plan) => {
        const lost = lostSites(catalog, plan)
        if (runners.length === 0 || !runners.every(({ site }) => lost.has(site))) return []
        const message = `the plan ${plan.name} would be run by ${runners.map(({ name }) => name).join(', ')}, at the site that it recovers from`
        return [{ path: ['plans', plan.name], message }]
      })
    },
  },
  {
    code: 'approver-at-lost-site',
    title: 'all who may approve a step work at the site that the plan recovers from',
    why: 'Who is without power, network or a building does not answer, and the plan waits.',
    mend: 'Let somebody elsewhere approve it too, or say with `site` of the contact that they work elsewhere.',
    find: (catalog) =>
      eachCall(catalog, (call, lost) => {
        const by = approversOf(call)
        const contacts = by.map((name) => catalog.contacts[name])
        return allAt(contacts, lost) ? [`can be approved by ${by.join(', ')} only, who work there`] : []
      }),
  },
  {
    code: 'on-call-at-lost-site',
    title: 'all who are called for a service work at its own site',
    why: 'What takes the site keeps them from answering.',
    mend: 'Call somebody elsewhere too, later in the `escalation`.',
    find: ({ services }) =>
      Object.values(services).flatMap(({ name, site, escalation, onCallContact, onCall }) => {
        const called = [...escalation.map(({ contact }) => contact), ...(onCall === undefined ? [] : [onCallContact])]
        if (!allAt(called, new Set([site]))) return []
        const who = [...new Set(called.flatMap((contact) => (contact ? titleOf(contact) : [])))].join(', ')
        return [{ path: ['services', name], message: `whoever is called for ${name} (${who}) works at ${site}, as it does` }]
      }),
  },
]

function siteOf({ services, external }: Catalog, name: string): string | undefined {
  return services[name]?.site ?? external[name]?.site
}
