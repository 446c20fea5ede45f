import { z } from 'zod'

/** What a drill found, for somebody to deal with. Its id is the same in every drill of the plan that finds it. */
export const drillFinding = z.object({
  id: z.string(),
  code: z.enum([
    'step-failed',
    'step-tolerated',
    'step-unknown',
    'step-slow',
    'step-skipped',
    'step-replaced',
    'step-answered',
    'objective-missed',
    'objective-unknown',
    'preflight',
    'clean-up-failed',
  ]),
  step: z.string().optional(),
  service: z.string().optional(),
  message: z.string(),
  owner: z.string(),
  /** ISO 8601. Of a finding that an earlier drill had and nobody closed: the earlier date. */
  dueAt: z.string(),
})
export type DrillFinding = z.infer<typeof drillFinding>

const objective = z.object({
  declaredMs: z.number().optional(),
  actualMs: z.number().optional(),
  verdict: z.enum(['met', 'missed', 'unknown']),
  because: z.string(),
})

/** What a drill achieved for one of the plan's services. */
const achieved = z.object({
  service: z.string(),
  rpo: objective,
  rto: objective,
  verdict: z.enum(['met', 'missed', 'unknown']),
})
export type Achieved = z.infer<typeof achieved>

const cleanUp = z.object({
  /** Nothing that the drill made is left but what was to be kept. */
  clean: z.boolean(),
  /** Servers and other processes that still ran. */
  stopped: z.array(z.string()),
  kept: z.string().optional(),
  /** Why not everything is gone. */
  problem: z.string().optional(),
})
export type DrillCleanUp = z.infer<typeof cleanUp>

/** What the outcome of a drill says besides that of the plan. */
export const drillReport = z.object({
  mode: z.enum(['sandbox', 'live']),
  achieved: z.array(achieved),
  findings: z.array(drillFinding),
  /** Of a sandbox drill. */
  cleanUp: cleanUp.optional(),
})
export type DrillReport = z.infer<typeof drillReport>
