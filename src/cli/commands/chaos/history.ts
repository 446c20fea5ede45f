import { formatDuration } from '../../../kernel/index.ts'
import { experimentRuns, loadRunCatalog, statisticsOf, type ExperimentRun } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { table } from '../../output/table.ts'
import { catalogPath } from '../../catalog-path.ts'
import { runState, statisticsText, unseenText } from './wording.ts'

export const chaosHistoryCommand = command(
  'history',
  'the runs of experiments, from here and from the ledgers, and what they say together',
  [['holdfast chaos history freeze-orders', 'how often it passes, and how long it takes to come back']],
)
  .argument('[experiment]', 'only its runs')
  .action(async (name, _options, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const { runs, unseen } = await experimentRuns(catalog, name, signal)
    const statistics = name === undefined ? undefined : statisticsOf(runs)
    print.result({ runs, unseen, ...(statistics === undefined ? {} : { statistics }) }, () =>
      [
        runs.length === 0 ? 'no run yet' : runsText(runs),
        ...(statistics === undefined ? [] : [statisticsText(statistics)]),
        ...unseen.map(unseenText),
      ].join('\n'),
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
      { title: 'on record', value: ({ ledger }) => ledger.map(({ repository }) => repository).join(', ') || 'here' },
      { title: 'ended', value: (run) => `${runState(run)}${run.because.length === 0 ? '' : `: ${run.because.join('; ')}`}` },
    ],
    runs.toReversed(),
  )
}
