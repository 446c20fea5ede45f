import { z } from 'zod'

const time = z.iso.datetime({ offset: true })
const durationMs = z.number().nonnegative()
const count = z.int().nonnegative()

/** Of a phase: how many looks its cadence gives, in how many something was seen, and in how many all was as it must be. */
const samples = z.object({ slots: count, seen: count, steady: count })

const fault = z.object({
  /** Its kind, and which time of how many it was: `process.kill (2 of 3)`. */
  name: z.string(),
  targets: z.array(z.string()),
  state: z.enum(['injected', 'unconfirmed', 'failed', 'not-begun']),
  undo: z.enum(['gone', 'lasting', 'failed', 'unknown']),
  /** From the decision to inject it until it was seen to be there. */
  presentAfterMs: durationMs.optional(),
  /** From the decision to end it until it was seen to be gone. */
  goneAfterMs: durationMs.optional(),
  /** What was seen right before its end, where it was not wholly there any more. */
  lost: z.string().optional(),
})

/** The plan that was run because of it; its own record is that of a recovery. */
const drill = z.object({
  plan: z.string().optional(),
  /** Absent: it was not begun. */
  runId: z.string().optional(),
  succeeded: z.boolean(),
  because: z.string().optional(),
  detectedBy: z.enum(['hypothesis', 'observers']).optional(),
  /** From the fault until it was noticed, from there until the run began, and what the run took. */
  phases: z.object({ detectMs: durationMs, decideMs: durationMs.optional(), runMs: durationMs.optional() }).optional(),
})

/** Numbered rows that were written meanwhile. */
const canary = z.object({
  written: count,
  acknowledged: count,
  surviving: count,
  /** Acknowledged, and not there at the end. */
  lost: count,
  /** Of the longest stretch that was lost: its last row, and the last one before it that survived. */
  lastAcknowledged: count.optional(),
  lastSurviving: count.optional(),
  rpaMs: durationMs.optional(),
  /** Why nobody knows what was lost. */
  unknown: z.string().optional(),
})

/** Something was broken on purpose, and this is what it showed. */
export const experimentEvidence = z.object({
  runId: z.string(),
  experiment: z.string(),
  /** Of the experiment: SHA-256, lower-case hex. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  environment: z.string(),
  /** All that it was about; the record stands once for each of them. */
  services: z.array(z.string()),
  by: z.string(),
  startedAt: time,
  endedAt: time,
  verdict: z.enum(['pass', 'fail', 'inconclusive', 'aborted', 'cleanup-failed']),
  because: z.array(z.string()),
  /** The longest that the steady state was gone. Absent: it did not come back, or nobody knows. */
  recoveryMs: durationMs.optional(),
  /** What was expected. Absent: that it holds all the time. */
  recoversWithinMs: durationMs.optional(),
  samples: z.object({ before: samples.optional(), during: samples.optional(), after: samples.optional() }),
  faults: z.array(fault),
  drill: drill.optional(),
  canary: canary.optional(),
  /**
   * Of the runs of this hash that showed something, up to this one, as far as its writer knew: how many there are, how many passed, and the
   * bounds of the pass rate at 95 % (0 to 1).
   */
  basis: z.object({ runs: count, passed: count, lower: z.number(), upper: z.number() }),
})
