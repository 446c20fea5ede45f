import pc from 'picocolors'
import { exitCodes, formatDuration } from '../../../kernel/index.ts'
import { loadRunCatalog, prepareExperiment, type PreparedExperiment } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { catalogPath } from '../../catalog-path.ts'

export const chaosPlanCommand = command(
  'plan',
  'show what an experiment would hit, and every guardrail, without touching anything',
  [['holdfast chaos plan freeze-orders', 'targets, faults, how each is taken back by hand, and whether it may run']],
)
  .argument('<experiment>', 'an experiment of the catalog')
  .option('--approve <hash>', 'as for the run')
  .action(async (name, { approve }, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const prepared = await prepareExperiment(catalog, name, approve === undefined ? {} : { approval: approve }, signal)
    const { hash, environment, faults, guardrails } = prepared
    print.result({ experiment: name, hash, environment, faults, guardrails, allowed: guardrails.length === 0 }, () =>
      planText(prepared),
    )
    process.exitCode = guardrails.length === 0 ? exitCodes.done : exitCodes.failed
  })

function planText({ experiment, hash, environment, faults, guardrails }: PreparedExperiment): string {
  const { hypothesis, recoversWithinMs, recoversFrom, limitMs } = experiment
  const expected =
    recoversWithinMs === undefined
      ? 'holds all the time'
      : `is back within ${formatDuration(recoversWithinMs)} of the ${recoversFrom}`
  return [
    `${pc.bold(experiment.name)} in ${environment} ${pc.dim(hash.slice(0, 8))}`,
    `${hypothesis.title}: ${hypothesis.probes.map(({ name }) => name).join(', ')}, every ${formatDuration(hypothesis.everyMs)}; ${expected}`,
    ...faults.flatMap(({ kind, irreversible, forMs, repeat, targets, candidates, undo }) => [
      `${pc.bold(kind)} for ${formatDuration(forMs)}${repeat === undefined ? '' : `, ${repeat.times} times, every ${formatDuration(repeat.everyMs)}`}${irreversible ? pc.red(', which nothing takes back') : ''}`,
      `  on ${targets.join(', ') || pc.red('nothing')}${candidates === undefined ? '' : ` (of ${candidates})`}`,
      ...undo.map((line) => `  ${pc.dim(line)}`),
    ]),
    ...(experiment.drill === undefined
      ? []
      : [`then ${pc.bold(experiment.drill.plan)} runs for real, once its ${experiment.drill.detection.by} notices`]),
    ...(experiment.canary === undefined
      ? []
      : [`rows are written every ${formatDuration(experiment.canary.everyMs)}, to count what is lost`]),
    `ended at the latest after ${formatDuration(limitMs)}`,
    guardrails.length === 0 ? `${pc.green('✓')} no guardrail forbids it` : guardrails.map(railText).join('\n'),
  ].join('\n')
}

function railText({ message, hint }: PreparedExperiment['guardrails'][number]): string {
  return `${pc.red('forbidden')} ${message}${hint === undefined ? '' : `\n${pc.bold('HINT:')} ${hint}`}`
}
