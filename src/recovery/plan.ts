import { z } from 'zod'
import { canonicalJson, sha256Hex, type Json } from '../kernel/index.ts'

const json: z.ZodType<Json> = z.json()

/** An action by name, with its parameters as the catalog gives them: references to secrets and outputs are still references. */
const actionCall = z.object({ kind: z.string(), params: json })
export type ActionCall = z.infer<typeof actionCall>

const planStep = z.object({
  id: z.string(),
  action: actionCall,
  /** Steps that must be done before. */
  after: z.array(z.string()).readonly(),
  /** Only when this reference to an output of an earlier step has this value. */
  when: z.object({ value: z.string(), equals: json }).optional(),
  /** For each attempt. */
  timeoutMs: z.number(),
  retry: z.object({ attempts: z.int(), delayMs: z.number(), factor: z.number(), maxDelayMs: z.number() }),
  /** Asked again and again after the action until it passes, or its own time is up. */
  check: actionCall.extend({ everyMs: z.number(), timeoutMs: z.number() }).optional(),
  /** Instead of the action's own undo. */
  undo: actionCall.optional(),
  /** `undo`: what is done so far is taken back. `continue`: the plan goes on without it. `ask`: a person decides. */
  onFailure: z.enum(['undo', 'continue', 'ask']),
})
export type PlanStep = z.infer<typeof planStep>

/** A plan with everything decided: what a run is bound to, and keeps in its journal. */
const plan = z.object({
  name: z.string(),
  /** Services that it brings back. */
  recovers: z.array(z.string()).readonly(),
  /** One run at a time per environment. */
  environment: z.string(),
  steps: z.array(planStep).readonly(),
})
export type Plan = z.infer<typeof plan>

const recoveryTarget = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('latest') }),
  z.object({ kind: z.literal('time'), time: z.string() }),
  z.object({ kind: z.literal('lsn'), lsn: z.string() }),
])

/** What a run of a plan is submitted with. */
export const planInput = z.object({
  plan,
  planHash: z.string(),
  target: recoveryTarget,
  requestedBy: z.string(),
  /** When the disaster began, as far as is known: where the clock of the RTA starts. */
  onsetAt: z.string(),
  /** What happens when a person must decide: wait for `holdfast run decide`, or end the run with what is known. */
  decisions: z.enum(['ask', 'stop']),
})
export type PlanInput = z.infer<typeof planInput>

/** As a journal takes it: members that are undefined are left out there. */
export function inputAsJson(input: PlanInput): Json {
  return input as unknown as Json
}

/** Changes with anything that changes what a run of the plan does. Lower-case hex SHA-256. */
export function planHash(plan: Plan, codeVersion: string): string {
  return sha256Hex(canonicalJson({ plan, codeVersion }))
}
