import { tryParseDuration, type Json } from '../../kernel/index.ts'
import type { PlanStep } from '../plan.ts'

/** The longest that a step can take: every attempt to its timeout, the pauses between them, and its check. Milliseconds. */
export function timeLimitMs({ action, timeoutMs, retry, check }: PlanStep): number {
  let limitMs = waitMs(action.kind, action.params) ?? timeoutMs * retry.attempts
  for (let failures = 0; failures < retry.attempts - 1; failures++) {
    limitMs += Math.min(retry.delayMs * retry.factor ** failures, retry.maxDelayMs)
  }
  return limitMs + (check?.timeoutMs ?? 0)
}

/** Steps that only wait are not ended by their timeout: they say themselves how long they wait. */
function waitMs(kind: string, params: Json): number | undefined {
  const text = (name: string) =>
    params !== null && typeof params === 'object' ? (params as Readonly<Record<string, Json>>)[name] : undefined
  const members: Readonly<Record<string, Json | undefined>> = {
    wait: text('for'),
    approve: text('expiresIn') ?? '1h',
    commit: text('within'),
  }
  const declared = members[kind]
  return typeof declared === 'string' ? tryParseDuration(declared) : undefined
}

/** When the last step ends if each takes as long as given: the longest chain of steps that wait for each other. */
export function longestChainMs(
  steps: readonly { readonly id: string; readonly after: readonly string[] }[],
  durationMs: (id: string) => number,
): number {
  const ends = new Map<string, number>()
  for (const { id, after } of steps) {
    ends.set(id, Math.max(0, ...after.map((before) => ends.get(before) ?? 0)) + durationMs(id))
  }
  return Math.max(0, ...ends.values())
}
