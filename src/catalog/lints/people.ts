import { formatDuration } from '../../kernel/index.ts'
import { titleOf } from '../contact.ts'
import { suggest } from '../suggest.ts'
import type { Lint } from './lint.ts'

/** Who answers for a service, and who can be called. */
export const peopleLints: readonly Lint[] = [
  {
    code: 'no-owner',
    title: 'nobody answers for a service',
    why: 'Its objectives are nobody’s promise, and what a drill finds is nobody’s to mend.',
    mend: 'Write `owner`: an entry of `contacts`, or the name of a team.',
    find: ({ services }) =>
      Object.values(services).flatMap(({ name, owner }) =>
        owner === undefined ? [{ path: ['services', name], message: `nobody is named as the owner of ${name}` }] : [],
      ),
  },
  {
    code: 'owner-without-contact',
    title: 'the catalog says how people can be reached, but not the owner of a service',
    why: 'Whoever needs a decision at night has a name, and no number.',
    mend: 'Name an entry of `contacts` as `owner`, or write one for it.',
    find: ({ services, contacts }) => {
      const names = Object.keys(contacts)
      if (names.length === 0) return []
      return Object.values(services).flatMap(({ name, owner, ownerContact }) => {
        if (owner === undefined || ownerContact !== undefined) return []
        const similar = suggest(owner, names)
        const message = `${name} is owned by '${owner}', whom \`contacts\` does not know`
        return [{ path: ['services', name, 'owner'], message, ...(similar ? { hint: `did you mean '${similar}'?` } : {}) }]
      })
    },
  },
  {
    code: 'no-on-call',
    title: 'nobody is named who can be called for a service',
    why: 'The time until somebody is found is part of the time that it is down.',
    mend: 'Write `onCall` (a contact, a number, a channel that is watched), or an `escalation`.',
    find: ({ services }) =>
      Object.values(services).flatMap(({ name, onCall, escalation }) =>
        onCall === undefined && escalation.length === 0
          ? [{ path: ['services', name], message: `${name} names nobody who is on call` }]
          : [],
      ),
  },
  {
    code: 'escalation-too-slow',
    title: 'somebody is called for a service only when its RTO is over',
    why: 'The call cannot help to keep it.',
    mend: 'Call them earlier, or allow the service more time. Where the call is only to inform, this may be left.',
    find: ({ services }) =>
      Object.values(services).flatMap(({ name, escalation, objectives }) => {
        const late = escalation.find(({ afterMs }) => afterMs >= objectives.rtoMs)
        if (late === undefined) return []
        const message = `${titleOf(late.contact)} is called ${formatDuration(late.afterMs)} after the first for ${name}, which must be back in ${formatDuration(objectives.rtoMs)}`
        return [{ path: ['services', name, 'escalation'], message }]
      }),
  },
]
