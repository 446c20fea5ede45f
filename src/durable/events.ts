import { z } from 'zod'
import { HoldfastError, type Json } from '../kernel/index.ts'
import type { JournalRecord } from '../journal/index.ts'
import { failureRecord } from './failure.ts'

const at = z.iso.datetime()
/** What JSON.parse gave: walking through all of it once more would cost more than all else. */
const json = z.custom<Json>((value) => value !== undefined)
/** The monotonic clock at the event's time: with it, times of the run are differences of that clock also across a crash. */
const clock = z.strictObject({ monotonicMs: z.number(), boot: z.string() })
const runResult = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('completed'), value: json }),
  z.strictObject({ state: z.literal('failed'), error: failureRecord }),
])

/** What a run's journal consists of. `at` is of the run's steady clock; `elapsedMs` is from the monotonic clock. */
const runEventBody = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('submitted'),
    at,
    clock: clock.optional(),
    runId: z.string(),
    planHash: z.string(),
    codeVersion: z.string(),
    input: json,
  }),
  z.strictObject({ type: z.literal('resumed'), at, clock: clock.optional(), pid: z.int(), host: z.string() }),
  z.strictObject({ type: z.literal('step-started'), at, step: z.string(), attempt: z.int() }),
  z.strictObject({
    type: z.literal('step-committed'),
    at,
    step: z.string(),
    attempt: z.int(),
    value: json,
    elapsedMs: z.number(),
  }),
  z.strictObject({
    type: z.literal('step-failed'),
    at,
    step: z.string(),
    attempt: z.int(),
    error: failureRecord,
    elapsedMs: z.number(),
    /** Absent when the step has failed for good. */
    retryInMs: z.number().optional(),
  }),
  z.strictObject({ type: z.literal('wait-started'), at, name: z.string(), untilMs: z.number().optional() }),
  z.strictObject({ type: z.literal('signal'), at, name: z.string(), value: json, letter: z.string() }),
  z.strictObject({ type: z.literal('wait-ended'), at, name: z.string(), value: json.optional() }),
  z.strictObject({ type: z.literal('sleep-started'), at, id: z.string(), untilMs: z.number() }),
  z.strictObject({ type: z.literal('now'), at, id: z.string() }),
  z.strictObject({ type: z.literal('lock-taken'), at, environment: z.string(), token: z.int() }),
  z.strictObject({ type: z.literal('cancel-requested'), at, reason: z.string(), letter: z.string() }),
  z.strictObject({ type: z.literal('note'), at, id: z.string(), body: json }),
  z.strictObject({ type: z.literal('ended'), at, result: runResult }),
])

export type RunEventBody = z.infer<typeof runEventBody>
export type RunEvent = RunEventBody & { readonly seq: number }

/** The event that a journal's record carries. Throws `journal-damaged` for one that this version does not know. */
export function parseEvent({ seq, body }: JournalRecord, path: string): RunEvent {
  const parsed = runEventBody.safeParse(body)
  if (parsed.success) return { seq, ...parsed.data }
  throw new HoldfastError('journal-damaged', {
    message: `line ${seq} of ${path} is not an event of a run`,
    hint: 'it was written by another version of Holdfast; go on with that version',
    details: { file: path, line: seq, problem: z.prettifyError(parsed.error) },
  })
}

/** Undefined members, which JSON leaves out, left out. */
export function toJson(event: RunEventBody): Json {
  return event as unknown as Json
}
