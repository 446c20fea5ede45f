import { verdictExitCodes, type ExperimentVerdict } from '../../../chaos/index.ts'
import {
  loadRunCatalog,
  placesAsJson,
  prepareExperiment,
  runCatalogExperiment,
  type FinishedExperiment,
} from '../../../service/index.ts'
import { exitCodes } from '../../../kernel/index.ts'
import type { Context } from '../../context.ts'
import { catalogPath } from '../../catalog-path.ts'
import { finishedText, statisticsText } from './wording.ts'

export interface NamedOptions {
  readonly repeat?: number | undefined
  readonly approve?: string | undefined
}

/** Each time with all guardrails, until the last, or one that ended early or left something. The exit code is that of the worst. */
export async function runNamed(
  name: string,
  { repeat = 1, approve }: NamedOptions,
  { globals, print, signal }: Context,
): Promise<void> {
  const catalog = await loadRunCatalog(catalogPath(globals), signal)
  const finished: FinishedExperiment[] = []
  let hash = ''
  while (finished.length < repeat) {
    const prepared = await prepareExperiment(catalog, name, approve === undefined ? {} : { approval: approve }, signal)
    ;({ hash } = prepared)
    const onPhase = (phase: string) => print.progress({ type: phase }, () => `${name}: ${phase}`)
    const result = await runCatalogExperiment(catalog, prepared, { onPhase }, signal)
    finished.push(result)
    if (repeat > 1) print.note(`${finished.length} of ${repeat}: ${result.verdict}`)
    if (result.verdict === 'aborted' || result.verdict === 'cleanup-failed') break
  }
  const runs = finished.map(({ evidence: { drill, canary, faults }, ledger, statistics: _statistics, ...rest }) => ({
    ...rest,
    ...(drill === undefined ? {} : { drill }),
    ...(canary === undefined ? {} : { canary }),
    faults,
    ...(ledger === undefined ? {} : { ledger: placesAsJson(ledger) }),
  }))
  const statistics = finished.at(-1)?.statistics
  print.result({ experiment: name, hash, runs, statistics }, () =>
    [...finished.map((each) => finishedText(name, each)), ...(statistics === undefined ? [] : [statisticsText(statistics)])].join(
      '\n',
    ),
  )
  const verdict = worst(finished.map((each) => each.verdict))
  const isLost = finished.some(({ ledger }) => isUnrecorded(ledger))
  process.exitCode = verdict === 'pass' && isLost ? exitCodes.partlyDone : verdictExitCodes[verdict]
}

/** Whether a run is on record nowhere, although it should be: then it proves nothing later. */
export function isUnrecorded(ledger: FinishedExperiment['ledger']): boolean {
  return ledger === undefined || (ledger.length > 0 && ledger.every((place) => 'error' in place))
}

function worst(verdicts: readonly ExperimentVerdict[]): ExperimentVerdict {
  const order: readonly ExperimentVerdict[] = ['cleanup-failed', 'aborted', 'fail', 'inconclusive', 'pass']
  return order.find((verdict) => verdicts.includes(verdict)) ?? 'inconclusive'
}
