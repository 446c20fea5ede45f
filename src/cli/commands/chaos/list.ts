import { experimentRuns, loadRunCatalog, type ExperimentRun } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { table } from '../../output/table.ts'
import { catalogPath } from '../../catalog-path.ts'
import { runState, unseenText } from './wording.ts'

interface Listed {
  readonly experiment: string
  readonly environment: string
  readonly services: readonly string[]
  readonly runs: number
  readonly last?: ExperimentRun
}

export const chaosListCommand = command(
  'list',
  'the experiments of the catalog and those of Chaos Toolkit on record, and how each went last',
  [['holdfast chaos list', 'which have never run shows too']],
).action(async (_options, self) => {
  const { globals, print, signal } = contextOf(self)
  const catalog = await loadRunCatalog(catalogPath(globals), signal)
  const { runs, unseen } = await experimentRuns(catalog, undefined, signal)
  const experiments = Object.values(catalog.experiments).map(({ name, environment, services }): Listed => {
    const own = runs.filter(({ experiment }) => experiment === name)
    const last = own.at(-1)
    return { experiment: name, environment, services, runs: own.length, ...(last === undefined ? {} : { last }) }
  })
  experiments.push(...filesOf(runs))
  print.result({ experiments, unseen }, () =>
    [experiments.length === 0 ? 'the catalog has no experiments' : listText(experiments), ...unseen.map(unseenText)].join('\n'),
  )
})

/** Those of Chaos Toolkit that are on record: the catalog does not have them. */
function filesOf(runs: readonly ExperimentRun[]): Listed[] {
  const byName = Map.groupBy(
    runs.filter(({ environment }) => environment === 'unstated'),
    ({ experiment }) => experiment,
  )
  return [...byName].map(([experiment, own]) => {
    const last = own.at(-1)
    return { experiment, environment: 'unstated', services: [], runs: own.length, ...(last === undefined ? {} : { last }) }
  })
}

function listText(experiments: readonly Listed[]): string {
  return table(
    [
      { title: 'experiment', value: ({ experiment }) => experiment },
      { title: 'environment', value: ({ environment }) => environment },
      { title: 'services', value: ({ services }) => services.join(', ') || '-' },
      { title: 'runs', align: 'right', value: ({ runs }) => String(runs) },
      {
        title: 'last',
        value: ({ last }) => (last === undefined ? 'never' : `${last.at.slice(0, 16).replace('T', ' ')} ${runState(last)}`),
      },
    ],
    experiments,
  )
}
