/** How somebody can be reached, the fastest first. */
export const contactWays = ['phone', 'pager', 'sms', 'chat', 'email'] as const
export type ContactWay = (typeof contactWays)[number]

/** A person, a team, a rota: somebody to call. At least one way is there. */
export interface Contact extends Readonly<Partial<Record<ContactWay, string>>> {
  /** As the catalog names it. */
  readonly name: string
  readonly title?: string
  readonly hours?: string
  /** Where they work, and what may keep them from answering with it. */
  readonly site?: string
  readonly description?: string
}

/** Who is called, how, and how long after the first call. */
export interface EscalationStep {
  readonly contact: Contact
  readonly way: ContactWay
  /** Since the escalation began; 0 for the first. */
  readonly afterMs: number
}

/** The ways of a contact, the fastest first. */
export function waysOf(contact: Partial<Record<ContactWay, unknown>>): ContactWay[] {
  return contactWays.filter((way) => contact[way] !== undefined)
}

/** `Platform Team`, or its name in the catalog. */
export function titleOf({ title, name }: Contact): string {
  return title ?? name
}
