import { exitCodes, HoldfastError, parseDuration, systemClock } from '../../../kernel/index.ts'
import {
  loadRunCatalog,
  openDecider,
  openReportReader,
  waitUntilDown,
  watchedService,
  wouldLose,
  type Detection,
  type FinishedRun,
} from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf, type Context } from '../../context.ts'
import { catalogPath } from '../run/open-runs.ts'
import { lineWatcher } from '../run/watcher.ts'
import { outcomeExitCode, outcomeText } from '../run/wording.ts'
import { detectionText, nextStep, verdictLine } from './wording.ts'

export const detectCommand = command('detect', 'whether a service is down, decided by a quorum of observers', [
  ['holdfast detect api', 'what each observer sees, the verdict, and what would be lost now; exit code 4 unless it is healthy'],
  ['holdfast detect api --wait', 'until a quorum sees it down'],
  ['holdfast detect api --wait --timeout 1h', 'the same, but no longer'],
  ['holdfast detect api --wait --act', 'and then start its plan, where the catalog says `decide: auto`'],
  ['holdfast detect api --json', 'for a program'],
])
  .argument('<service>', 'a service whose plan has a detection with observers')
  .option('--wait', 'look again and again until it is down')
  .option('--timeout <duration>', 'how long to wait at most', parseDuration)
  .option(
    '--act',
    'start the recovery plan when it is down, if its detection says `decide: auto`; goes on with an interrupted one',
  )
  .option('--disaster', 'with --act: the source site cannot be reached, and steps that have a form for that take it')
  .addHelpText(
    'after',
    `
The observers are processes at other sites: \`holdfast observe --as NAME\`.
With --act one process decides for a plan. It never starts a second run for one outage, while another run is open, or in the quiet
time after a run; killed at any moment, the next one goes on with the run that was begun.`,
  )
  .action(async (service, { wait, timeout, act, disaster }, self) => {
    const context = contextOf(self)
    const { globals, print, signal } = context
    if (disaster === true && act !== true) throw new HoldfastError('usage', { message: '--disaster is for --act' })
    if (timeout !== undefined && wait !== true) throw new HoldfastError('usage', { message: '--timeout is for --wait' })
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const watched = watchedService(catalog, service)
    await using reader = openReportReader(catalog, systemClock)
    await using decider =
      act === true ? await openDecider(catalog, watched, disaster === true ? 'disaster' : 'normal') : undefined

    const unfinished = await decider?.finishOpen(lineWatcher(print), signal)
    if (unfinished !== undefined) return showRun(unfinished, undefined, context)

    const onLook = async (seen: Detection) => {
      if (wait === true) print.progress({ type: 'detection', ...seen }, () => verdictLine(seen))
      await decider?.notice(seen)
    }
    const timeoutMs = wait === true ? timeout : 0
    const found = await waitUntilDown(catalog, watched, reader, { timeoutMs, onLook }, signal)
    if (decider !== undefined && found.start.start) print.note(verdictLine(found))
    const run = await decider?.act(found, lineWatcher(print), signal)
    if (run !== undefined) return showRun(run, found, context)

    const lost = await wouldLose(catalog, watched.plan.recovers, found.since ?? found.time, signal)
    const result = { ...found, wouldLose: lost, next: nextStep(found, act === true) }
    print.result(result, (shown) => detectionText(shown))
    if (found.verdict !== 'healthy') process.exitCode = exitCodes.objectiveMissed
  })

function showRun({ runId, outcome }: FinishedRun, detection: Detection | undefined, { print }: Context): void {
  print.result({ ...(detection === undefined ? {} : { detection }), run: runId, result: outcome }, () => outcomeText(outcome))
  process.exitCode = outcomeExitCode(outcome)
}
