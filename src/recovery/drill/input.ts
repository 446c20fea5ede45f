import { z } from 'zod'

/** One thing that a sandbox drill does otherwise than a recovery: what it says nothing about. */
const change = z.object({
  step: z.string(),
  /** `changed`: other parameters. `replaced`: another action. `rechecked`: another check. `skipped`: left out. `answered`: nobody was asked. */
  how: z.enum(['changed', 'replaced', 'rechecked', 'skipped', 'answered']),
  /** For people: the reason in the catalog, the parameters that differ, the action instead. */
  because: z.string(),
})
export type DrillChange = z.infer<typeof change>

/** What makes a run of a plan a drill. Part of the run's input, so that it survives a crash. */
export const drillInput = z.object({
  mode: z.enum(['sandbox', 'live']),
  /** Of the plan as a recovery would run it: the drill is evidence for that one. */
  planHash: z.string(),
  /** What is said to have happened. */
  scenario: z.string().optional(),
  participants: z.array(z.string()).readonly(),
  /** The run of the experiment that it is a part of. */
  experiment: z.string().optional(),
  /** When it was announced for. */
  window: z.object({ from: z.string(), to: z.string() }).optional(),
  changes: z.array(change).readonly(),
  findings: z.object({ owner: z.string(), dueMs: z.number() }),
  /** Of a sandbox drill. */
  sandbox: z
    .object({
      folder: z.string(),
      /** What was restored stays for somebody to look at; servers are stopped all the same. */
      keep: z.boolean(),
      approvals: z.enum(['answered', 'asked']),
      network: z.enum(['own', 'shared']),
      /** Why commands have no network of their own. */
      networkBecause: z.string().optional(),
      /** Steps that are not confined, and hosts that may be reached: by the catalog. */
      allowed: z.object({ steps: z.array(z.string()).readonly(), hosts: z.array(z.string()).readonly() }),
    })
    .optional(),
})
export type DrillInput = z.infer<typeof drillInput>
