import { Option } from '@commander-js/extra-typings'
import { exitCodes, HoldfastError } from '../../../kernel/index.ts'
import { formatTimeUs, parseRecoveryTarget } from '../../../postgres/index.ts'
import {
  forecastRecovery,
  loadRunCatalog,
  preflightRecovery,
  prepareRecovery,
  recoverService,
  type RecoveryRequest,
} from '../../../service/index.ts'
import { command } from '../../command.ts'
import { confirmByName } from '../../confirm.ts'
import { contextOf } from '../../context.ts'
import { catalogPath } from '../../catalog-path.ts'
import { watching } from '../run/watcher.ts'
import { outcomeExitCode, outcomeText } from '../run/wording.ts'
import { graphFormats, graphText } from './graph-formats.ts'
import { findingsText, manualText, onThisTerminal, planText } from './plan-text.ts'

type Target = NonNullable<RecoveryRequest['target']>

export const recoverCommand = command('recover', 'bring a service back by its plan', [
  [
    'holdfast recover orders-db --dry-run',
    'every read-only check, the plan as a graph, and the commands that do each step by hand',
  ],
  ['holdfast recover orders-db --dry-run --format mermaid', 'the plan as a graph for Markdown'],
  ['holdfast recover orders-db', 'to the last moment that can be recovered'],
  ['holdfast recover orders-db --to "2026-11-23T14:05:00Z"', 'to a time; the zone is required'],
  ['holdfast recover orders-db --disaster', 'when the source site cannot be reached'],
  ['holdfast recover orders-db --plan orders-switchback', 'by another of its plans, such as the way back after a failover'],
  ['holdfast recover orders-db --repository offsite', 'from another copy, when the first is lost or known to be damaged'],
  ['holdfast recover orders-db --to 0/3000148 --yes', 'to a WAL position, without asking'],
])
  .argument('<service>', 'a service of the catalog')
  .option('--to <target>', 'latest, a time with its zone, or a WAL position', readTarget, { kind: 'latest' } as Target)
  .option('--plan <name>', 'another plan that recovers it; default: the one that the service names')
  .option(
    '--repository <name>',
    'restore from this repository, not from the first that a service is backed up to, or that a step names',
  )
  .option('--dry-run', 'check everything that can be checked without touching anything, and show the plan')
  .addOption(
    new Option('--format <format>', 'how --dry-run shows the plan; mermaid and dot are for other programs')
      .choices(graphFormats)
      .default('text' as const),
  )
  .option('--disaster', 'the source site cannot be reached: steps that have a form for that take it')
  .option('--yes', 'do not ask')
  .option('--onset <time>', 'when the disaster began (ISO 8601): where the clock of the RTO starts; without it, now', readTime)
  .action(async (service, { to, plan, repository, dryRun, format, disaster, yes, onset }, self) => {
    const { globals, print, signal } = contextOf(self)
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const request: RecoveryRequest = {
      catalog,
      service,
      target: to,
      form: disaster === true ? 'disaster' : 'normal',
      ...(plan === undefined ? {} : { plan }),
      ...(repository === undefined ? {} : { repository }),
      ...(onset === undefined ? {} : { onsetAt: onset }),
    }
    const prepared = prepareRecovery(request)
    if (dryRun === true) {
      const forecast = await forecastRecovery(catalog, service, prepared)
      const findings = await preflightRecovery(request, prepared, signal)
      const blocked = findings.some(({ severity }) => severity === 'blocker')
      print.result(
        {
          service,
          target: to,
          form: prepared.input.form,
          ...(repository === undefined ? {} : { repository }),
          planHash: prepared.input.planHash,
          steps: prepared.steps,
          forecast,
          findings,
          blocked,
        },
        () =>
          format === 'text'
            ? [planText(prepared, forecast), findingsText(findings), manualText(prepared)].join('\n\n')
            : graphText(prepared, forecast, format),
      )
      process.exitCode = blocked ? exitCodes.failed : exitCodes.done
      return
    }
    // Past runs are read only where somebody looks at what they say: they can be many, and nothing of them must hold up a recovery.
    if (yes !== true) await confirmByName({ ...confirmation, name: service, plan: planToConfirm }, signal)
    const { runId, outcome } = await watching(print, catalog.file, (watcher) =>
      recoverService({ ...request, prepared, ...watcher }, signal),
    )
    print.result({ run: runId, result: outcome }, () => outcomeText(outcome))
    process.exitCode = outcomeExitCode(outcome)

    async function planToConfirm(): Promise<string> {
      return planText(prepared, await forecastRecovery(catalog, service, prepared), onThisTerminal(process.stderr))
    }
  })

const confirmation = {
  question: `Type the service's name to run this plan: `,
  nobody: {
    message: 'nobody can be asked whether to go on: this is not a terminal',
    hint: 'look at it with --dry-run, then give --yes',
  },
}

function readTarget(text: string): Target {
  const target = parseRecoveryTarget(text)
  if (target.kind === 'latest') return target
  // However it was written (a space for the T, +01), the ledger has it as ISO 8601.
  return target.kind === 'lsn' ? { kind: 'lsn', lsn: text.trim() } : { kind: 'time', time: formatTimeUs(target.timeUs) }
}

function readTime(text: string): Date {
  // A date alone would be UTC and a date with a time local: only what says its zone is taken.
  const time = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(text) ? new Date(text) : new Date(Number.NaN)
  if (!Number.isNaN(time.getTime())) return time
  throw new HoldfastError('usage', {
    message: `'${text}' is not a time with its zone`,
    hint: 'write it as 2026-11-23T14:05:00Z',
  })
}
