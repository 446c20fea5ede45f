import { differingLines, type DifferingLine } from './differing-lines.ts'
import type { RunbookIdentity } from './document.ts'
import { readIdentity, withoutMeasured } from './identity.ts'
import type { RunbookFile } from './read-file.ts'

/**
 * What is wrong with a committed runbook.
 *
 * not-a-runbook   none of its first lines says that Holdfast wrote it
 * other-service   it is the runbook of another service
 * other-plan      it is the runbook of another plan of the service
 * plan            it was written for another plan
 * version         for the same plan, by another version of Holdfast, which runs it as another plan
 * content         lines differ: by hand, or because something of the catalog that is not the plan has changed
 * altered         a PDF is not as it was written: what stands on its pages may be anything
 */
export type RunbookFinding =
  | { readonly code: 'not-a-runbook' }
  | { readonly code: 'other-service'; readonly found: string; readonly expected: string }
  | { readonly code: 'other-plan'; readonly found: string; readonly expected: string }
  | { readonly code: 'plan'; readonly found: string; readonly expected: string }
  | { readonly code: 'version'; readonly found: string; readonly expected: string }
  | { readonly code: 'content'; readonly lines: readonly DifferingLine[] }
  | { readonly code: 'altered' }

/**
 * Holds a committed runbook against a fresh one in the same format; what was measured does not count. `hashBy` gives the hash of the plan
 * as another version of Holdfast would. No finding: it is current.
 */
export function compareRunbook(
  { text: committed, altered }: RunbookFile,
  {
    text,
    identity,
    hashBy,
  }: { readonly text: string; readonly identity: RunbookIdentity; readonly hashBy: (version: string) => string },
): RunbookFinding[] {
  const found = readIdentity(committed)
  if (found === undefined) return [{ code: 'not-a-runbook' }]
  if (found.service !== identity.service) return [{ code: 'other-service', found: found.service, expected: identity.service }]
  if (found.plan !== identity.plan) return [{ code: 'other-plan', found: found.plan, expected: identity.plan }]
  const findings: RunbookFinding[] = []
  if (found.hash !== identity.hash) {
    const onlyVersion = found.version !== identity.version && hashBy(found.version) === found.hash
    findings.push(
      onlyVersion
        ? { code: 'version', found: found.version, expected: identity.version }
        : { code: 'plan', found: found.hash, expected: identity.hash },
    )
  }
  // Lines that differ only in the hash and the version have been told.
  const comparable = (content: string, { hash }: RunbookIdentity) =>
    withoutIdentity(withoutMeasured(content).replaceAll(hash, ''))
  const lines = differingLines(comparable(committed, found), comparable(text, identity))
  const told = findings.some(({ code }) => code === 'version')
  const rest = told ? lines.filter((line) => !isVersionOnly(line, found.version, identity.version)) : lines
  if (rest.length > 0) findings.push({ code: 'content', lines: rest })
  return altered ? [...findings, { code: 'altered' }] : findings
}

function withoutIdentity(text: string): string {
  return text.replace(/^<!-- holdfast-runbook .*-->$/m, '')
}

function isVersionOnly({ found, expected }: DifferingLine, was: string, is: string): boolean {
  return found?.replaceAll(`Holdfast ${was}`, `Holdfast ${is}`) === expected
}
