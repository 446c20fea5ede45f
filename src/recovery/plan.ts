import { z } from 'zod'
import { drillInput } from './drill/input.ts'
import { canonicalJson, sha256Hex, type Json } from '../kernel/index.ts'

/** What JSON.parse gave: walking through all of it once more would cost more than all else. */
const json = z.custom<Json>((value) => value !== undefined)

/** An action by name, with its parameters as the catalog gives them: references to secrets and outputs are still references. */
const actionCall = z.object({ kind: z.string(), params: json })
export type ActionCall = z.infer<typeof actionCall>

const condition = z.union([z.object({ value: json, equals: json }), z.object({ value: json, notEquals: json })])

const check = actionCall.extend({ everyMs: z.number(), timeoutMs: z.number() })

const planStep = z.object({
  id: z.string(),
  action: actionCall,
  /** Steps that must be done before. */
  after: z.array(z.string()).readonly(),
  /** Only when all of these references to outputs of earlier steps have, or have not, these values. */
  when: z.array(condition).readonly().optional(),
  /** Of the steps of a group only so many run at once. */
  group: z.string().optional(),
  /** For each attempt. */
  timeoutMs: z.number(),
  retry: z.object({ attempts: z.int(), delayMs: z.number(), factor: z.number(), maxDelayMs: z.number() }),
  /** Asked again and again after the action until it passes, or its own time is up. */
  check: check.optional(),
  /** Instead of the action's own undo. */
  undo: actionCall.optional(),
  /** What it is when the source site cannot be reached. */
  disaster: z
    .union([
      z.object({ skip: z.string() }),
      z.object({ action: actionCall, timeoutMs: z.number(), check: check.optional(), undo: actionCall.optional() }),
    ])
    .optional(),
  /** Left out, and why. */
  skip: z.string().optional(),
  /**
   * `undo`: what is done so far is taken back. `stop`: the run ends and all stays. `continue`: the plan goes on without it. `ask`: a person
   * decides.
   */
  onFailure: z.enum(['undo', 'stop', 'continue', 'ask']),
})
export type PlanStep = z.infer<typeof planStep>

/** A plan with everything decided: what a run is bound to, and keeps in its journal. */
const plan = z.object({
  name: z.string(),
  /** Services that it brings back. */
  recovers: z.array(z.string()).readonly(),
  /** One run at a time per environment. */
  environment: z.string(),
  /** How many steps of a group may run at once. */
  groups: z.record(z.string(), z.int()).optional(),
  steps: z.array(planStep).readonly(),
})
export type Plan = z.infer<typeof plan>

/** `normal`, or `disaster`: the source site cannot be reached, so that steps that have a form for that take it. */
export const planForms = ['normal', 'disaster'] as const
export type PlanForm = (typeof planForms)[number]

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
  form: z.enum(planForms),
  /** Steps that restore from this repository, whatever they say: the one that they would take is lost, or is not trusted. */
  restoreFrom: z.object({ repository: z.string(), steps: z.array(z.string()).readonly() }).optional(),
  /** It was begun by a decider that had to claim the incident, in this repository: it begins only if the claim still holds. */
  claim: z.object({ repository: z.string() }).optional(),
  requestedBy: z.string(),
  /** When the disaster began, as far as is known: where the clock of the RTA starts. */
  onsetAt: z.string(),
  /** What happens when a person must decide: wait for `holdfast run decide`, or end the run with what is known. */
  decisions: z.enum(['ask', 'stop']),
  /** Present when it is run on purpose. */
  drill: drillInput.optional(),
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
