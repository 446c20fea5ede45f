import { z } from 'zod'
import type { Json } from '../kernel/index.ts'
import { decisions } from './decisions.ts'
import { planForms } from './plan.ts'
import { drillReport } from './drill/report.ts'

/** What JSON.parse gave: walking through all of it once more would cost more than all else. */
const json = z.custom<Json>((value) => value !== undefined)
const failure = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  retryable: z.boolean(),
  details: z.record(z.string(), json).optional(),
})

/**
 * `done`: by the action, seen by its probe, or declared by a person. `tolerated`: failed, and the plan goes on. `skipped`: its `when` did
 * not hold. `not-run`: never begun. `stopped`: begun, ended by another step's failure or a cancellation. `unknown`: nobody knows.
 */
const stepState = z.enum(['done', 'tolerated', 'failed', 'skipped', 'not-run', 'stopped', 'unknown', 'undone'])
export type StepState = z.infer<typeof stepState>

const stepReport = z.object({
  id: z.string(),
  kind: z.string(),
  state: stepState,
  output: json.optional(),
  error: failure.optional(),
  startedAt: z.string().optional(),
  endedAt: z.string().optional(),
  /** How it is known that it is done. */
  by: z.enum(['run', 'probe', 'decision']).optional(),
})
export type StepReport = z.infer<typeof stepReport>

/** Something that a run that did not succeed leaves behind, for a person to deal with. */
const leftBehind = z.object({
  step: z.string(),
  because: z.enum(['undo-failed', 'dependent-not-undone', 'unknown', 'no-undo']),
  message: z.string(),
})
export type LeftBehind = z.infer<typeof leftBehind>

/** Milliseconds of wall-clock time. The phases add up to rta. */
const timing = z.object({
  onsetAt: z.string(),
  startedAt: z.string(),
  endedAt: z.string(),
  rtaMs: z.number(),
  phases: z.object({
    detect: z.number(),
    decide: z.number().default(0),
    prepare: z.number(),
    restore: z.number(),
    replay: z.number(),
    verify: z.number(),
  }),
})
export type RunTiming = z.infer<typeof timing>

/**
 * How a run of a plan ended.
 *
 * succeeded         every step done, every check passed, and there was at least one check
 * unverified        every step done, but nothing was checked: not a success
 * preflight-failed  nothing was begun; see findings
 * rolled-back       a step failed or the run was cancelled, and all that could be undone was; steps without an undo are in `left`
 * undo-failed       as above, but an undo failed or a step's state is unknown: `left` says exactly what
 * stopped           failed or cancelled past the point of no return, or at a step whose failure undoes nothing: all is as it was left
 */
export const planOutcome = z.object({
  status: z.enum(['succeeded', 'unverified', 'preflight-failed', 'rolled-back', 'undo-failed', 'stopped']),
  plan: z.string(),
  planHash: z.string(),
  steps: z.array(stepReport),
  /** What made it end otherwise than well. */
  failure: z.object({ step: z.string().optional(), error: failure }).optional(),
  left: z.array(leftBehind),
  findings: z.array(
    z.object({
      step: z.string(),
      severity: z.enum(['blocker', 'warning']),
      code: z.string(),
      message: z.string(),
      hint: z.string().optional(),
    }),
  ),
  /** What people said about steps whose outcome was unknown, or that failed. */
  decisions: z.array(
    z.object({
      step: z.string(),
      decision: z.enum(decisions),
      because: z.string(),
      by: z.string().optional(),
      why: z.string().optional(),
    }),
  ),
  /** Whether it was done as when the source site cannot be reached. */
  form: z.enum(planForms),
  /** The step after which it could only go forward. */
  pointOfNoReturn: z.string().optional(),
  checksPassed: z.int(),
  timing,
  /** Of a drill: what it achieved and found. */
  drill: drillReport.optional(),
  /** Where the outcome is on record, as `service` says it. */
  record: json.optional(),
  /** Why it is not: then nothing proves it later. */
  recordFailure: failure.optional(),
})

export type PlanOutcome = z.infer<typeof planOutcome>
