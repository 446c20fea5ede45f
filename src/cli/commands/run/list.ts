import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { table } from '../../output/table.ts'
import { openRuns } from './open-runs.ts'
import { summarize } from './summary.ts'
import { stateText, timeText } from './wording.ts'

export const runListCommand = command('list', 'list the runs of this catalog, the newest last', [
  ['holdfast run list', 'every run, and how it stands'],
  ['holdfast run list --json', 'the same for programs'],
]).action(async (_options, self) => {
  const { globals, print } = contextOf(self)
  await using engine = openRuns(globals)
  const runs = (await engine.list()).map(summarize)
  print.result({ runs }, () =>
    runs.length === 0
      ? 'no run yet: `holdfast recover SERVICE` starts one'
      : table(
          [
            { title: 'run', value: ({ id }) => id },
            { title: 'plan', value: ({ plan }) => plan },
            { title: 'began', value: ({ submittedAt }) => timeText(submittedAt) },
            { title: 'by', value: ({ requestedBy }) => requestedBy },
            { title: 'state', value: stateText },
          ],
          runs,
        ),
  )
})
