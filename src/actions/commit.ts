import { z } from 'zod'
import { durationText } from '../catalog/index.ts'
import { HoldfastError, parseDuration } from '../kernel/index.ts'
import { notDone } from './contract.ts'
import { defineAction } from './define-action.ts'

const params = z.strictObject({
  within: durationText.describe('How long people may try what was recovered before it counts.'),
  else: z
    .enum(['undo', 'commit', 'ask'])
    .describe('When nobody has said anything by then. undo: all is taken back. commit: it stays. ask: the run goes on waiting.')
    .default('ask'),
})

/** What `holdfast run commit` sends. */
const commitWord = z.strictObject({
  decision: z.enum(['commit', 'undo']),
  by: z.string().min(1),
  comment: z.string().optional(),
})

export type CommitWord = z.infer<typeof commitWord>

/** The names of the signals that a commit window waits for: within its time, and after it. */
export const commitSignals = ['commit', 'commit-late'] as const

/**
 * Keeps a recovery provisional until a person says that it counts, as `commit confirmed` does on routers: until then everything is undone
 * when they say so, afterwards the run only goes forward.
 */
export const commit = defineAction<z.infer<typeof params>>({
  kind: 'commit',
  description:
    'Keeps what was recovered provisional until a person says that it stays (`holdfast run commit`) or that it does not (`--undo`, which takes everything back). A plan’s own `commit` stands for such a step after all others. Outputs: `by`, `comment`.',
  example: { within: '30m', else: 'ask' },
  effect: 'point-of-no-return',
  params,

  probe: () => Promise.resolve(notDone),

  async wait({ within, else: otherwise }, { step, sandbox }, waits) {
    if (sandbox?.approvals === 'answered') return { by: 'the drill', comment: 'answered by the drill: nobody was asked' }
    const [inTime, late] = commitSignals
    let value = await waits.waitSignal(inTime, parseDuration(within))
    if (value === undefined && otherwise === 'commit') return { by: 'time', within }
    if (value === undefined && otherwise === 'undo') throw refused(step, `nobody committed it within ${within}`)
    value ??= await waits.waitSignal(late)
    const parsed = commitWord.safeParse(value)
    if (!parsed.success) throw refused(step, 'what came is no decision about it')
    const { decision, by, comment } = parsed.data
    if (decision === 'undo') throw refused(step, `${by} wants it undone${comment === undefined ? '' : `: ${comment}`}`)
    return { by, ...(comment === undefined ? {} : { comment }) }
  },

  reach: () => 'local',
  manual: ({ within }) => [`# try what was recovered (planned: ${within}); then decide: it stays, or follow Rollback`],
})

function refused(step: string, why: string): HoldfastError {
  return new HoldfastError('commit-refused', {
    message: `it was not committed: ${why}`,
    hint: 'what the run did is undone; start it again when it can stay',
    details: { step },
  })
}
