import { z } from 'zod'

const probeOutcome = z.strictObject({
  /** What was looked at, in words; never a secret. */
  probe: z.string(),
  well: z.boolean(),
  elapsedMs: z.number().nonnegative(),
  /** Why it is not well. */
  because: z.string().max(500).optional(),
})
export type ProbeOutcome = z.infer<typeof probeOutcome>

/** What one observer sees of what one plan recovers. Durations are by the observer's monotonic clock. */
const planObservation = z.strictObject({
  /** Identifies what it looks at: an observer with another catalog looks at something else. */
  rule: z.string(),
  /** `blind`: the symptoms are there, but the observer does not reach its reference either. */
  state: z.enum(['up', 'down', 'blind']),
  /** From the end of the first look that gave this state to the end of the last, without interruption: one look alone is 0. */
  heldMs: z.number().nonnegative(),
  /** The same from the start of the first look: when it may have begun. */
  beganMs: z.number().nonnegative(),
  looks: z.int().min(1),
  /** From the end of the last look to the report. */
  lookedAgoMs: z.number().nonnegative(),
  probes: z.array(probeOutcome).min(1).max(64),
  reference: probeOutcome.optional(),
})
export type PlanObservation = z.infer<typeof planObservation>

/** What an observer reports: the whole of what it knows, so that the newest report is enough. */
export const observerReport = z.strictObject({
  version: z.literal(1),
  observer: z.string(),
  site: z.string(),
  /** Larger after every start of the observer: what counts is the largest, whatever the clocks say. */
  epoch: z.int().min(1),
  /** Counts the reports of an epoch, from 1. */
  seq: z.int().min(1),
  /** Of the machine; changes when it boots. Empty where it is not known. */
  boot: z.string(),
  host: z.string(),
  pid: z.int(),
  /** By the observer's clock. */
  sentAt: z.iso.datetime(),
  /** How long it has been running. */
  upMs: z.number().nonnegative(),
  plans: z.record(z.string(), planObservation),
})
export type ObserverReport = z.infer<typeof observerReport>
