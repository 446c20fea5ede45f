import pc from 'picocolors'
import type { ServiceEnvironment } from '../../../catalog/index.ts'
import { exitCodes, type ExitCode } from '../../../kernel/index.ts'
import { loadRunCatalog, runDueDrills, type DueRun, type DueRuns } from '../../../service/index.ts'
import type { Context } from '../../context.ts'
import { catalogPath } from '../../catalog-path.ts'
import { lineWatcher } from '../run/watcher.ts'
import { outcomeText } from '../run/wording.ts'
import { achievedTable, drillExitCode, drillFindingsText, dueStates } from './wording.ts'

/** `drill run --due`: for a timer. Its exit code is the worst of all that it saw. */
export async function runDue(environment: ServiceEnvironment | undefined, { globals, print, signal }: Context): Promise<void> {
  const catalog = await loadRunCatalog(catalogPath(globals), signal)
  const onDrill = ({ plan, state }: DueRun['drill']) => print.note(`drill of ${plan} in a sandbox (${dueStates[state]})`)
  const done = await runDueDrills(catalog, { environment }, { ...lineWatcher(print), onDrill }, signal)
  const { runs, gamedays, aborted, unseen } = done
  print.result(
    {
      runs: runs.map(({ drill, run, error }) => ({
        plan: drill.plan,
        due: drill.state,
        ...(run === undefined ? {} : { run: run.runId, result: run.outcome }),
        ...(error === undefined ? {} : { error: { code: error.code, message: error.message, hint: error.hint } }),
      })),
      gamedays,
      aborted: aborted.map(({ runId, error }) => ({ run: runId, ...(error === undefined ? {} : { error: error.message }) })),
      unseen,
    },
    () => dueRunsText(done, environment),
  )
  process.exitCode = dueExitCode(done)
}

/** 1 when a drill failed or did not begin, 4 when one missed an objective, a gameday is overdue or there is nothing that could be drilled. */
function dueExitCode({ runs, gamedays, aborted, known }: DueRuns): ExitCode {
  const codes = new Set(runs.map(({ run }) => (run === undefined ? exitCodes.failed : drillExitCode(run.outcome))))
  if (codes.has(exitCodes.failed) || aborted.some(({ error }) => error !== undefined)) return exitCodes.failed
  const missed = codes.has(exitCodes.objectiveMissed) || gamedays.some(({ overdue }) => overdue) || known === 0
  return missed ? exitCodes.objectiveMissed : exitCodes.done
}

export function dueRunsText(
  { runs, gamedays, aborted, known, unseen }: DueRuns,
  environment: ServiceEnvironment | undefined,
): string {
  const of = environment === undefined ? 'the catalog has no plan' : `no plan recovers a service in ${environment}`
  return [
    ...(known === 0 ? [`${of} that could be drilled: nothing shows that anything can be recovered`] : []),
    ...aborted.map(({ runId, error }) =>
      error === undefined
        ? `${runId}, which an earlier call had left, was aborted and its sandbox removed`
        : pc.red(`${runId}, which an earlier call had left, could not be aborted: ${error.message}`),
    ),
    ...(runs.length === 0 && known > 0 ? ['no drill in a sandbox is due'] : runs.map(runText)),
    ...gamedays.map(({ plan, state, overdue, dueAt }) => {
      const when = dueAt === undefined ? '' : `, since ${dueAt.toISOString().slice(0, 10)}`
      return overdue
        ? pc.red(
            `a gameday of ${plan} is due (${dueStates[state]}${when}): people are needed, \`holdfast drill run ${plan} --live\``,
          )
        : pc.yellow(`a gameday of ${plan} will be due on ${dueAt?.toISOString().slice(0, 10)}: announce it`)
    }),
    ...unseen.map(({ repository, because }) => `${repository} is not counted: ${because}`),
  ].join('\n\n')
}

function runText({ drill, run, error }: DueRun): string {
  if (run === undefined) {
    const hint = error?.hint === undefined ? '' : `\n${pc.bold('HINT:')} ${error.hint}`
    return `${pc.bold(drill.plan)} ${pc.red('was not drilled to its end')}: ${error?.message}${hint}`
  }
  const { outcome, runId } = run
  const report = outcome.drill
  return [
    `${pc.bold(drill.plan)} ${outcomeText(outcome)}`,
    ...(report === undefined ? [] : [achievedTable(report.achieved), drillFindingsText(report.findings)]),
    pc.dim(`holdfast drill show ${runId}`),
  ].join('\n')
}
