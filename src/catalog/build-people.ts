import { parseDuration } from '../kernel/index.ts'
import { tierOf } from './build-tiers.ts'
import { waysOf, type Contact, type EscalationStep } from './contact.ts'
import { present } from './present.ts'
import type { CatalogFile } from './schema.ts'
import type { Service } from './types.ts'

/** Who answers for a service and who is called for it: by the entries of `contacts` where these are named. */
export function peopleOf(
  file: CatalogFile,
  service: CatalogFile['services'][string],
): Pick<Service, 'ownerContact' | 'onCallContact' | 'escalation'> {
  const { owner, onCall, escalation = tierOf(file, service)?.escalation } = service
  return present({
    ownerContact: contactOf(file, owner),
    onCallContact: contactOf(file, onCall),
    escalation: stepsOf(file, escalation),
  })
}

/** The contact of this name; undefined for a text that names none. */
export function contactOf({ contacts }: Pick<CatalogFile, 'contacts'>, name: string | undefined): Contact | undefined {
  const entry = name !== undefined && Object.hasOwn(contacts, name) ? contacts[name] : undefined
  return name === undefined || entry === undefined ? undefined : present({ name, ...entry })
}

function stepsOf(file: CatalogFile, escalation: string | undefined): EscalationStep[] {
  const steps = escalation === undefined ? [] : (file.escalations[escalation] ?? [])
  return steps.flatMap(({ call, by, after }) => {
    const contact = contactOf(file, call)
    const way = by ?? (contact && waysOf(contact)[0])
    if (contact === undefined || way === undefined) return []
    return [{ contact, way, afterMs: after === undefined ? 0 : parseDuration(after) }]
  })
}
