import { z } from 'zod'
import type { Json } from '../kernel/index.ts'
import { experimentEvidence } from './experiment-evidence.ts'

/**
 * What each kind of record carries. Times are ISO 8601 in UTC, durations whole or fractional milliseconds, sizes bytes, hashes and ids
 * lower-case hex. Never secrets: locations are without credentials, and nothing here is copied from a connection string.
 *
 * A member may be added in a later version; readers keep what they do not know (`canonical` of a record has all of it).
 */

const time = z.iso.datetime({ offset: true })
const durationMs = z.number().nonnegative()
const count = z.int().nonnegative()
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const json: z.ZodType<Json> = z.json()
const facts: z.ZodType<{ readonly [key: string]: Json }> = z.record(z.string(), json)

/** A source became a snapshot. */
export const backupEvidence = z.object({
  source: z.string(),
  /** Where it went: the repository's name in the catalog, or its location. */
  repository: z.string(),
  snapshot: z.string(),
  /** The state the snapshot holds is that of this moment or later. */
  snapshotTime: time,
  sizeBytes: count,
  files: count,
  addedBytes: count,
  durationMs,
  /** Entries that could not be read. More than none is not complete. */
  skipped: count,
  /** What the source says of itself: LSNs, timeline, system identifier, … */
  facts: facts.optional(),
  /** Of a snapshot that came from another repository: what is said here of the backup is what that one's record says. */
  copiedFrom: z.object({ repository: z.string(), snapshot: z.string() }).optional(),
})

/** A WAL receiver began or ended, found WAL missing, or followed the server to another timeline. */
export const walEvidence = z.object({
  event: z.enum(['started', 'gap', 'timeline', 'stopped']),
  repository: z.string(),
  systemIdentifier: z.string(),
  timeline: z.int().positive(),
  /** Durable in the archive up to here, in PostgreSQL's form (`16/B374D848`). */
  flushedLsn: z.string(),
  /** What is missing. */
  gap: z.object({ from: z.string(), to: z.string() }).optional(),
  /** Where the timeline before was left. */
  forkLsn: z.string().optional(),
})

/** A snapshot became files again. */
export const restoreEvidence = z.object({
  repository: z.string(),
  snapshot: z.string(),
  source: z.string().optional(),
  sizeBytes: count,
  files: count,
  durationMs,
  /** Entries compared with what the snapshot says of them, after writing. None is no proof. */
  verifiedFiles: count,
  skipped: count,
  /** Only a part of the snapshot was asked for. */
  partial: z.boolean().optional(),
})

const drillFinding = z.object({
  /** The same in every drill of the plan that finds it. */
  id: z.string(),
  code: z.string(),
  step: z.string().optional(),
  service: z.string().optional(),
  message: z.string(),
  owner: z.string(),
  dueAt: time,
})

/** What a drill was and what came of it, besides what is kept of every recovery. */
const drillEvidence = z.object({
  /** How the run ended, in the words of runs. */
  status: z.string(),
  requestedBy: z.string(),
  scenario: z.string().optional(),
  participants: z.array(z.string()),
  /** The run of the experiment that it was a part of: it proves something only together with that one's record. */
  experiment: z.string().optional(),
  /** When it was announced for. */
  window: z.object({ from: time, to: time }).optional(),
  /** What it did otherwise than a recovery would. */
  changes: z.array(z.object({ step: z.string(), how: z.string(), because: z.string() })),
  /** Of a sandbox. `own`: commands had a network of their own. */
  isolation: z
    .object({
      network: z.enum(['own', 'shared']),
      because: z.string().optional(),
      allowedSteps: z.array(z.string()),
      allowedHosts: z.array(z.string()),
    })
    .optional(),
  /** Of a sandbox: nothing of it is left but what was to be kept. */
  cleanedUp: z.boolean().optional(),
  steps: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      state: z.string(),
      startedAt: time.optional(),
      endedAt: time.optional(),
      error: z.string().optional(),
    }),
  ),
  failure: z.string().optional(),
  findings: z.array(drillFinding),
})

/** Somebody has dealt with what a drill found. */
export const drillFindingEvidence = z.object({
  plan: z.string(),
  /** The newest drill that had found it. */
  runId: z.string(),
  finding: z.string(),
  state: z.enum(['closed']),
  by: z.string(),
  why: z.string(),
})

/** A plan ran to its end, for real or as a drill. */
export const recoveryEvidence = z.object({
  runId: z.string(),
  plan: z.string(),
  planHash: hash,
  /** `drill`: by a version that did not yet say which. */
  mode: z.enum(['real', 'drill', 'drill-sandbox', 'drill-live']),
  /** `disaster`: steps that have a form for an unreachable source site took it. Absent: by a version that did not yet say. */
  form: z.enum(['normal', 'disaster']).optional(),
  /** The repository that was told to be restored from, where it was not left to the plan. */
  restoreFrom: z.string().optional(),
  /** The service works again as far as its checks can tell; `failed` and `aborted` runs restored nothing that counts. */
  outcome: z.enum(['completed', 'failed', 'aborted']),
  target: z.object({
    kind: z.enum(['latest', 'time', 'lsn']),
    time: time.optional(),
    lsn: z.string().optional(),
    reachedLsn: z.string().optional(),
  }),
  onset: time.optional(),
  /** Recovery point actual: onset (or the end of announced maintenance that it fell into) − newest recovered, consistent record. */
  rpaMs: durationMs.optional(),
  /** Recovery time actual: verified − onset. */
  rtaMs: durationMs.optional(),
  declared: z.object({ rpoMs: durationMs.optional(), rtoMs: durationMs.optional() }),
  /** Where the time went. */
  phases: z.object({
    detectMs: durationMs.optional(),
    decideMs: durationMs.optional(),
    prepareMs: durationMs.optional(),
    restoreMs: durationMs.optional(),
    replayMs: durationMs.optional(),
    verifyMs: durationMs.optional(),
  }),
  restoredBytes: count.optional(),
  /** Snapshots that came back whole, and from which repository. Absent: none, or by a version that did not yet say. */
  restored: z
    .array(z.object({ service: z.string(), source: z.enum(['files', 'postgres']), repository: z.string(), snapshot: z.string() }))
    .optional(),
  /** What was looked at to call it recovered. All zero proves nothing. */
  compared: z.object({
    checks: count,
    checksFailed: count,
    rows: count.optional(),
    rowsLost: count.optional(),
    files: count.optional(),
    filesLost: count.optional(),
  }),
  verdict: z.enum(['met', 'missed', 'unknown']),
  /** Of a drill. */
  drill: drillEvidence.optional(),
})

/** A repository was checked. */
export const checkEvidence = z.object({
  repository: z.string(),
  /** `structure`: names, sizes, references. `data`: every byte was read, authenticated and hashed. */
  depth: z.enum(['structure', 'data']),
  snapshots: count,
  packs: count,
  blobs: count,
  readBytes: count,
  durationMs,
  findings: z.array(z.object({ code: z.string(), count: z.int().positive() })),
})

/** Snapshots were removed. Their data stays until a prune. */
export const forgetEvidence = z.object({
  repository: z.string(),
  /** What was kept, in the words of the command's options: `daily 7`. Absent: the snapshots were named. */
  rules: z.array(z.string()).optional(),
  /** `why`: for each rule why it did not keep the snapshot (`daily: same-period`), or `named`. */
  removed: z.array(z.object({ snapshot: hash, time: time.optional(), why: z.array(z.string()) })),
  kept: count.optional(),
})

/** The space was freed of what no snapshot needed. */
export const pruneEvidence = z.object({
  repository: z.string(),
  /** Whose content was kept. */
  snapshots: count,
  removedPacks: count,
  repackedPacks: count,
  /** Missing or cut short, and not needed. */
  lostPacks: count,
  freedBytes: count,
  unusedAfterBytes: count,
  durationMs,
})

/** Somebody has said that something is so which nothing but a person can know (`holdfast checklist`). */
export const attestationEvidence = z.object({
  /** The same in every ledger that has it. */
  id: z.string(),
  /** Of the checklist. */
  item: z.string(),
  /** Whose word it is. */
  by: z.string(),
  /** The user who put it on record. */
  recordedBy: z.string(),
  note: z.string().optional(),
  /** From then on it counts for nothing. */
  expiresAt: time,
})

/** Every kind of record, and the schema of its body. */
export const evidenceSchemas = {
  backup: backupEvidence,
  wal: walEvidence,
  restore: restoreEvidence,
  recovery: recoveryEvidence,
  'drill-finding': drillFindingEvidence,
  experiment: experimentEvidence,
  check: checkEvidence,
  forget: forgetEvidence,
  prune: pruneEvidence,
  attestation: attestationEvidence,
} as const

export type EvidenceKind = keyof typeof evidenceSchemas
export type EvidenceBody<Kind extends EvidenceKind> = z.infer<(typeof evidenceSchemas)[Kind]>

export const evidenceKinds = Object.keys(evidenceSchemas) as readonly EvidenceKind[]

export function isEvidenceKind(kind: string): kind is EvidenceKind {
  return Object.hasOwn(evidenceSchemas, kind)
}
