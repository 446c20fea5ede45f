import { contactWays, titleOf, type Contact, type ExternalDependency, type Service } from '../../../catalog/index.ts'
import { formatDuration } from '../../../kernel/index.ts'
import { strong, type Inline } from '../document.ts'

/** `Platform Team (phone +1-555-0100, chat #platform)`. */
export function contactText(contact: Contact): string {
  const ways = contactWays.flatMap((way) => (contact[way] === undefined ? [] : [`${way} ${contact[way]}`]))
  return `${titleOf(contact)} (${[...ways, ...(contact.hours === undefined ? [] : [contact.hours])].join(', ')})`
}

export function owner({ owner: name, ownerContact }: Service): string {
  return ownerContact === undefined ? (name ?? 'NOBODY (the catalog names none)') : contactText(ownerContact)
}

/** Whom to ask about what others run; undefined: nobody knows. */
export function whomToAsk({ contact, contactEntry }: ExternalDependency): string | undefined {
  return contactEntry === undefined ? contact : contactText(contactEntry)
}

/** Who is called first. */
export function onCall({ onCall: number, onCallContact, escalation }: Service): string {
  const contact = onCallContact ?? (number === undefined ? escalation[0]?.contact : undefined)
  return contact === undefined ? (number ?? 'NOBODY (the catalog names none)') : contactText(contact)
}

/** Each call of the service's escalation: who, how, when. */
export function calls({ escalation }: Service): Inline[][] {
  return escalation.map(({ contact, way, afterMs }) => [
    afterMs === 0 ? 'At once: ' : `After ${formatDuration(afterMs)}: `,
    strong(titleOf(contact)),
    `, ${way} ${contact[way] ?? ''}`,
    contact.hours === undefined ? '' : ` (${contact.hours})`,
  ])
}
