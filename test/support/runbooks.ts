import { actions } from '../../src/actions/index.ts'
import type { Catalog } from '../../src/catalog/index.ts'
import { actionParams } from '../../src/service/index.ts'
import {
  buildRunbook,
  wordRunbook,
  renderRunbook,
  type RunbookEvidence,
  type RunbookOf,
  type RunbookTextFormat,
} from '../../src/recovery/index.ts'
import { checkText } from './marked-catalog.ts'

export const runbookVersion = '1.2.3'

/** Two services, of which the second needs the first; `orders` holds the data and has the plan `back`. */
export function shopText({
  steps = failover,
  more = '',
  orders = '',
  prerequisites = '[the bastion is reachable]',
} = {}): string {
  return `version: 1
name: acme
sites: { here: { description: the cellar }, there: {} }
repositories:
  near: { url: copies, site: here, media: disk, password: { file: near-password } }
  far: { url: /mnt/far, site: there, media: disk, immutableFor: 30d, password: { file: ~/far-password } }
services:
  orders:
    owner: Shop
    onCall: '+1-555-0100'
    tier: 1
    site: here
    objectives: { rpo: 5m, rto: 15m }
    data: { files: { paths: [/srv/orders] } }
    backup: { to: [near, far] }
    recovery: back
${orders}
  web: { owner: Web Team, site: here, objectives: { rpo: 5m, rto: 15m }, dependsOn: [orders], recovery: web-back }
${more}
plans:
  back:
    recovers: [orders]
    detection: { symptoms: [the shop answers 503], quorum: 2 of 3, for: 60s, decide: ask }
    prerequisites: ${prerequisites}
    steps:
${steps}
  web-back:
    recovers: [web]
    steps:
      - { id: look, do: { http.check: { url: 'http://localhost/health' } } }
`
}

/** Written in another order than it runs in. */
export const failover = `
      - { id: verify, do: { http.check: { url: 'http://localhost/health' } }, after: [switch, warm], timeout: 1m }
      - id: switch
        do: { shell: { run: ./switch, effect: point-of-no-return } }
        after: [restore]
        timeout: 2m
      - { id: restore, do: { files.restore: { service: orders, target: /srv/back } }, timeout: 10m, retry: { attempts: 2, backoff: 30s } }
      - id: warm
        do: { shell: { run: ./warm, undo: ./cool, env: { TOKEN: { env: HOLDFAST_TEST_TOKEN } } } }
        timeout: 3m
      - { id: clean, do: { shell: { run: ./clean } }, after: [switch] }
`

export async function catalogOf(text: string): Promise<Catalog> {
  const check = await checkText(text, { actionParams })
  if (check.valid) return check.catalog
  throw new Error(check.problems.map(({ line, message }) => `${line}: ${message}`).join('\n'))
}

export async function runbookOf(text = shopText(), which: string | RunbookOf = 'orders') {
  const of = typeof which === 'string' ? { service: which } : which
  return buildRunbook(await catalogOf(text), of, actions, runbookVersion)
}

export async function renderedRunbook(
  text = shopText(),
  {
    format = 'md',
    evidence,
    service = 'orders',
  }: { format?: RunbookTextFormat; evidence?: RunbookEvidence; service?: string | RunbookOf } = {},
): Promise<string> {
  return renderRunbook(wordRunbook(await runbookOf(text, service), evidence), format)
}

export const nothingKnown: RunbookEvidence = {
  lookedAt: new Date('2026-02-03T04:05:06Z'),
  stepTimes: new Map(),
  recoveries: [],
  unseen: [],
}
