import { parseDuration, type Json } from '../kernel/index.ts'
import { buildAction, buildCheck } from './build-steps.ts'
import type { Drill, Substitution } from './drill.ts'
import type { CatalogFile } from './schema.ts'

type FileDrill = NonNullable<CatalogFile['plans'][string]['drill']>

/** What the tiers of the services that a plan recovers say of its drills. */
export type DrillIntervals = Pick<FileDrill, 'every' | 'gameday'>

export function buildDrill({ allow, findings, substitute, ...rest }: FileDrill, byTier: DrillIntervals): Drill {
  const { directory, approvals, scenarios } = rest
  const { every = byTier.every ?? '31d', gameday = byTier.gameday ?? '92d' } = rest
  return {
    substitute: Object.assign(
      Object.create(null) as Record<string, Substitution>,
      Object.fromEntries(Object.entries(substitute).map(([step, entry]) => [step, buildSubstitution(entry)])),
    ),
    allow: { steps: allow?.steps ?? [], hosts: allow?.hosts ?? [] },
    approvals,
    findings: {
      dueMs: parseDuration(findings?.due ?? '14d'),
      ...(findings?.owner === undefined ? {} : { owner: findings.owner }),
    },
    scenarios,
    ...(every === 'never' ? {} : { everyMs: parseDuration(every) }),
    ...(gameday === 'never' ? {} : { gamedayEveryMs: parseDuration(gameday) }),
    ...(directory === undefined ? {} : { directory }),
  }
}

function buildSubstitution(entry: FileDrill['substitute'][string]): Substitution {
  return {
    ...(entry.with === undefined ? {} : { with: entry.with as Readonly<Record<string, Json>> }),
    ...(entry.do === undefined ? {} : { do: buildAction(entry.do) }),
    ...(entry.skip === undefined ? {} : { skip: entry.skip }),
    ...(entry.check === undefined ? {} : { check: buildCheck(entry.check) }),
  }
}
