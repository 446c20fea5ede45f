import { exitCodes, isHoldfastError } from '../../../kernel/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { table } from '../../output/table.ts'
import { openRuns } from './open-runs.ts'
import { summarize, type RunSummary } from './summary.ts'
import { stateText, timeText } from './wording.ts'

export const runListCommand = command('list', 'list the runs of this catalog, the newest last', [
  ['holdfast run list', 'every run, and how it stands'],
  ['holdfast run list --json', 'the same for programs'],
]).action(async (_options, self) => {
  const { globals, print } = contextOf(self)
  await using engine = openRuns(globals)
  const unreadable: UnreadableRun[] = []
  const views = await engine.list({
    onUnreadable: (id, { code, message }) => unreadable.push({ id, error: { code, message } }),
  })
  const runs: RunSummary[] = []
  for (const view of views) {
    try {
      runs.push(summarize(view))
    } catch (error) {
      if (!isHoldfastError(error)) throw error
      unreadable.push({ id: view.runId, error: { code: error.code, message: error.message } })
    }
  }
  print.result({ runs, unreadable }, () => (runs.length === 0 && unreadable.length > 0 ? '' : runsText(runs)))
  for (const { id, error } of unreadable) print.note(`not in this list: run ${id}: ${error.message}`)
  process.exitCode = unreadable.length > 0 ? exitCodes.failed : exitCodes.done
})

/** A run that is there, and of which nobody can say more. */
interface UnreadableRun {
  readonly id: string
  readonly error: { readonly code: string; readonly message: string }
}

function runsText(runs: readonly RunSummary[]): string {
  if (runs.length === 0) return 'no run yet: `holdfast recover SERVICE` starts one'
  return table(
    [
      { title: 'run', value: ({ id }) => id },
      { title: 'plan', value: ({ plan }) => plan },
      { title: 'began', value: ({ submittedAt }) => timeText(submittedAt) },
      { title: 'by', value: ({ requestedBy }) => requestedBy },
      { title: 'state', value: stateText },
    ],
    runs,
  )
}
