import type { RunbookIdentity } from './document.ts'

/** Around what was measured: what stands between them is not compared. */
export const measuredStart = '<!-- measured -->'
export const measuredEnd = '<!-- /measured -->'

/** The line of a file that says what it is the runbook of. Names and hashes have no space in them (catalog/fields.ts). */
export function identityLine({ service, plan, hash, version }: RunbookIdentity): string {
  return `<!-- holdfast-runbook service=${service} plan=${plan} hash=${hash} version=${version} -->`
}

/** What a file is the runbook of; undefined when none of its first lines says so. */
export function readIdentity(text: string): RunbookIdentity | undefined {
  const [, service, plan, hash, version] =
    /^<!-- holdfast-runbook service=(\S+) plan=(\S+) hash=([0-9a-f]{64}) version=(\S+) -->$/m.exec(text.slice(0, 2000)) ?? []
  return service === undefined || plan === undefined || hash === undefined || version === undefined
    ? undefined
    : { service, plan, hash, version }
}

/** The text with what was measured left out; marks in it stay, so that none can be added or removed unseen. */
export function withoutMeasured(text: string): string {
  let rest = text.replaceAll('\r\n', '\n')
  let kept = ''
  for (;;) {
    const start = rest.indexOf(measuredStart)
    const end = start === -1 ? -1 : rest.indexOf(measuredEnd, start)
    if (end === -1) return kept + rest
    kept += rest.slice(0, start) + measuredStart + measuredEnd
    rest = rest.slice(end + measuredEnd.length)
  }
}
