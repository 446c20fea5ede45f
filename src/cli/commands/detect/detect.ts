import { stripVTControlCharacters } from 'node:util'
import { exitCodes, HoldfastError, parseDuration, systemClock } from '../../../kernel/index.ts'
import {
  loadRunCatalog,
  openDecider,
  openReportReader,
  settleClaim,
  waitUntilDown,
  watchedService,
  lossCountsFrom,
  wouldLose,
  type Acted,
  type Detection,
  type FinishedRun,
} from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf, type Context } from '../../context.ts'
import { catalogPath } from '../../catalog-path.ts'
import { lineWatcher } from '../run/watcher.ts'
import { outcomeExitCode, outcomeText } from '../run/wording.ts'
import { claimText, detectionText, nextStep, tellingLines, verdictLine } from './wording.ts'

export const detectCommand = command('detect', 'whether a service is down, decided by a quorum of observers', [
  ['holdfast detect api', 'what each observer sees, the verdict, and what would be lost now; exit code 4 unless it is healthy'],
  ['holdfast detect api --wait', 'until a quorum sees it down'],
  ['holdfast detect api --wait --timeout 1h', 'the same, but no longer'],
  ['holdfast detect api --wait --act', 'and then start its plan, where the catalog says `decide: auto`, else tell people'],
  ['holdfast detect api --settle RUN --why "its disk is gone"', 'the run of a machine that is lost for good will never end'],
  ['holdfast detect api --json', 'for a program'],
])
  .argument('<service>', 'a service whose plan has a detection with observers')
  .option('--wait', 'look again and again until it is down')
  .option('--timeout <duration>', 'how long to wait at most', parseDuration)
  .option(
    '--act',
    'when it is down, start the plan if its detection says `decide: auto`, else tell those in `notify`; goes on with an interrupted run',
  )
  .option('--settle <run>', 'the machine that began this run under a claim is lost for good: its incident is over')
  .option('--why <text>', 'with --settle: what was seen of it, for the others')
  .option('--disaster', 'with --act: the source site cannot be reached, and steps that have a form for that take it')
  .addHelpText(
    'after',
    `
The observers are processes at other sites: \`holdfast observe --as NAME\`.
With --act one process of a machine decides for a plan; several machines may, where the detection has \`claims\`. A second run is never started
for one outage, while another run is open, or in the quiet time after a run; killed at any moment, the next one goes on with the run that was
begun. Where nothing is started by itself, people are told, once for an incident.`,
  )
  .action(async (service, { wait, timeout, act, settle, why, disaster }, self) => {
    const context = contextOf(self)
    const { globals, print, signal } = context
    if (disaster === true && act !== true) throw new HoldfastError('usage', { message: '--disaster is for --act' })
    if (timeout !== undefined && wait !== true) throw new HoldfastError('usage', { message: '--timeout is for --wait' })
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const watched = watchedService(catalog, service)
    if ((settle === undefined) !== (why === undefined) || (settle !== undefined && (wait ?? act) !== undefined)) {
      throw new HoldfastError('usage', { message: '--settle RUN and --why TEXT go together, and without --wait and --act' })
    }
    if (settle !== undefined && why !== undefined) {
      await settleClaim(catalog, watched, { run: settle, why }, signal)
      return print.result(
        { service, settled: settle },
        () => `the incident of run ${settle} is over: the next one can be claimed`,
      )
    }
    await using reader = openReportReader(catalog, systemClock)
    await using decider =
      act === true ? await openDecider(catalog, watched, { form: disaster === true ? 'disaster' : 'normal' }) : undefined

    const unfinished = await decider?.finishOpen(lineWatcher(print), signal)
    if (unfinished !== undefined) return showRun(unfinished, undefined, context)

    const onLook = async (seen: Detection) => {
      if (wait === true) print.progress({ type: 'detection', ...seen }, () => verdictLine(seen))
      await decider?.notice(seen, signal)
    }
    const endMs = systemClock.monotonicMs() + (wait === true ? (timeout ?? Number.POSITIVE_INFINITY) : 0)
    let found: Detection
    let acted: Acted | undefined
    for (;;) {
      const timeoutMs = Math.max(0, endMs - systemClock.monotonicMs())
      found = await waitUntilDown(catalog, watched, reader, { timeoutMs, onLook }, signal)
      if (decider !== undefined && found.start.start) print.note(verdictLine(found))
      acted = await decider?.act(found, lineWatcher(print), signal)
      if (acted?.kind === 'ran') return showRun(acted.run, found, context)
      if (acted?.kind !== 'claimed' || systemClock.monotonicMs() >= endMs) break
      print.note(claimText(acted))
      await systemClock.sleep(watched.watch.everyMs, signal)
    }

    const lost = await wouldLose(catalog, watched.plan.recovers, lossCountsFrom(found), signal)
    const shown = {
      ...found,
      ...(acted === undefined ? {} : { acted }),
      wouldLose: lost,
      next: nextStep(found, act === true, acted),
    }
    const telling = await decider?.tell(found, stripVTControlCharacters(detectionText(shown)), acted, signal)
    print.result({ ...shown, ...(telling === undefined ? {} : { telling }) }, () => detectionText(shown))
    for (const line of tellingLines(telling)) print.note(line)
    if (found.verdict !== 'healthy') process.exitCode = exitCodes.objectiveMissed
    if (telling?.state === 'not-told') process.exitCode = exitCodes.failed
  })

function showRun({ runId, outcome }: FinishedRun, detection: Detection | undefined, { print }: Context): void {
  print.result({ ...(detection === undefined ? {} : { detection }), run: runId, result: outcome }, () => outcomeText(outcome))
  process.exitCode = outcomeExitCode(outcome)
}
