import { clockToleranceMs } from '../../objectives/index.ts'
import type { ChecklistFacts } from './facts.ts'
import { ofEach, type Answer, type ChecklistItem } from './item.ts'

/** What only a person can say, by code. */
const attested = [
  ['business', 'objectives-agreed', 'those whose services they are have agreed to their RPO and RTO'],
  ['operational', 'backup-alerts', 'somebody is told when a backup or a check fails, and was told in a trial'],
  ['operational', 'training', 'everybody who may be called has done a recovery or a drill'],
  ['operational', 'runbook-copies', 'the runbooks can be read without the network and the services that they recover'],
  ['operational', 'contacts-reached', 'the contacts of the catalog were called, and they answered'],
] as const

export const attestedItems: readonly ChecklistItem[] = attested.map(([area, code, says]) => ({
  code,
  area,
  says,
  attested: true,
  answers: ofEach(({ name }, facts) => answerOf(code, name, facts)),
}))

/** The newest word that counts for a service: about it, or about all. */
function answerOf(code: string, service: string, { attestations, now, unseen }: ChecklistFacts): Omit<Answer, 'of'> {
  const limit = now.getTime() + clockToleranceMs
  const said = attestations
    .filter((one) => one.item === code && (one.service === undefined || one.service === service))
    .filter(({ time }) => time.getTime() <= limit)
    .toSorted((a, b) => b.time.getTime() - a.time.getTime())
  const [newest] = said
  const next = `\`holdfast checklist attest ${code} --by NAME\` by somebody who knows`
  if (newest && newest.expiresAt > now) {
    const { by, time, expiresAt, note, records } = newest
    const because = `by the word of ${by} on ${day(time)}, until ${day(expiresAt)}${note === undefined ? '' : `: ${note}`}`
    return { state: 'yes', because, evidence: records }
  }
  // What could not be looked into may have a word that counts.
  if (unseen.length > 0) return { state: 'unknown', because: 'not all ledgers could be read', evidence: [] }
  if (newest === undefined) return { state: 'no', because: 'nobody has said so', evidence: [], next }
  return { state: 'no', because: `${newest.by}’s word ran out on ${day(newest.expiresAt)}`, evidence: newest.records, next }
}

function day(time: Date): string {
  return time.toISOString().slice(0, 10)
}
