import { formatDuration } from '../../../kernel/index.ts'
import { experimentRuns, statisticsOf, type ExperimentRun } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { table } from '../../output/table.ts'
import { catalogPath } from '../run/open-runs.ts'
import { runState, statisticsText } from './wording.ts'

export const chaosHistoryCommand = command('history', 'the runs of experiments on this machine, and what they say together', [
  ['holdfast chaos history freeze-orders', 'how often it passes, and how long it takes to come back'],
])
  .argument('[experiment]', 'only its runs')
  .action(async (name, _options, self) => {
    const { globals, print } = contextOf(self)
    const runs = await experimentRuns(catalogPath(globals), name)
    const statistics = name === undefined ? undefined : statisticsOf(runs)
    print.result({ runs, ...(statistics === undefined ? {} : { statistics }) }, () =>
      [runs.length === 0 ? 'no run yet' : runsText(runs), ...(statistics === undefined ? [] : [statisticsText(statistics)])].join(
        '\n',
      ),
    )
  })

function runsText(runs: readonly ExperimentRun[]): string {
  return table(
    [
      { title: 'run', value: ({ runId }) => runId },
      { title: 'environment', value: ({ environment }) => environment },
      { title: 'experiment', value: ({ hash }) => hash.slice(0, 8) },
      {
        title: 'back after',
        align: 'right',
        value: ({ recoveryMs }) => (recoveryMs === undefined ? '-' : formatDuration(recoveryMs)),
      },
      { title: 'ended', value: (run) => `${runState(run)}${run.because.length === 0 ? '' : `: ${run.because.join('; ')}`}` },
    ],
    runs.toReversed(),
  )
}
