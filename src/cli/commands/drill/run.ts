import { Option } from '@commander-js/extra-typings'
import { exitCodes, HoldfastError } from '../../../kernel/index.ts'
import {
  loadRunCatalog,
  preflightDrill,
  prepareDrill,
  runDrill,
  type DrillRequest,
  type PreparedDrill,
} from '../../../service/index.ts'
import { command } from '../../command.ts'
import { confirmByName, type Confirmation } from '../../confirm.ts'
import { contextOf } from '../../context.ts'
import { catalogPath } from '../../catalog-path.ts'
import { environmentOption } from '../../environment-option.ts'
import { watching } from '../run/watcher.ts'
import { runDue } from './run-due.ts'
import { drillExitCode, drillPlanText, drillText, findingLines } from './wording.ts'

export const drillRunCommand = command('run', 'run a plan on purpose, and measure what it would achieve', [
  ['holdfast drill run orders-db', 'in a sandbox: production is not touched, and nothing is left afterwards'],
  ['holdfast drill run orders-db --dry-run', 'what it would do, and whether it may'],
  ['holdfast drill run orders-db --repository offsite', 'from another copy than the first'],
  ['holdfast drill run orders-db --keep /srv/look', 'and keep what was restored there, to look at it'],
  ['holdfast drill run --due', 'every plan whose drill is due, in a sandbox: for cron or a systemd timer'],
  [
    'holdfast drill run orders-db --live --scenario "region lost" --participant ann --participant bob',
    'a gameday: the real plan, for real',
  ],
])
  .argument('[service-or-plan]', 'a service of the catalog, whose plan it is, or a plan; needed without --due')
  .addOption(
    new Option('--due', 'every sandbox drill that is due, one after the other; for a timer').conflicts([
      'live',
      'disaster',
      'repository',
      'scenario',
      'window',
      'keep',
      'runId',
      'dryRun',
    ]),
  )
  .addOption(new Option('--sandbox', 'in folders and on sockets of its own (the default)').conflicts('live'))
  .option('--live', 'the real plan on the real thing; wants the name typed, or --yes')
  .option('--disaster', 'as when the source site cannot be reached: steps that have a form for that take it')
  .option('--repository <name>', 'restore from this repository, not from the first: to prove that copy too')
  .option('--scenario <text>', 'what is said to have happened: a scenario of the plan’s drill by its name, or a text')
  .option('--participant <name>', 'who takes part; may be given several times', collect, [] as readonly string[])
  .option('--window <from/to>', 'when it was announced for: two times with their zone; it runs at no other time', readWindow)
  .addOption(new Option('--keep <folder>', 'restore there, and leave it there for looking').conflicts('live'))
  .option('--run-id <id>', 'what its run is called, for a program that looks for it; not one that is known already', readRunId)
  .option('--dry-run', 'check everything that can be checked, and show what would be done')
  .addOption(environmentOption())
  .option('--yes', 'do not ask')
  .action(async (name, options, self) => {
    const {
      due,
      live,
      disaster,
      repository,
      scenario,
      participant,
      window,
      keep,
      runId: wanted,
      dryRun,
      yes,
      environment,
    } = options
    const context = contextOf(self)
    const { globals, print, signal } = context
    if ((due === true) === (name !== undefined)) {
      throw new HoldfastError('usage', { message: 'give either a service or a plan, or --due for all that are due' })
    }
    if (name === undefined) return await runDue(environment, context)
    if (environment !== undefined) throw new HoldfastError('usage', { message: '--environment is for --due' })
    const catalog = await loadRunCatalog(catalogPath(globals), signal)
    const request: DrillRequest = {
      catalog,
      name,
      mode: live === true ? 'live' : 'sandbox',
      participants: participant,
      ...(disaster === true ? { form: 'disaster' } : {}),
      ...(repository === undefined ? {} : { repository }),
      ...(scenario === undefined ? {} : { scenario }),
      ...(window === undefined ? {} : { window }),
      ...(keep === undefined ? {} : { keep }),
      ...(wanted === undefined ? {} : { runId: wanted }),
    }
    const prepared = await prepareDrill(request, signal)
    if (dryRun === true) {
      const findings = await preflightDrill(request, prepared, signal)
      const blocked = findings.some(({ severity }) => severity === 'blocker')
      const { plan } = prepared.input
      print.result({ plan: plan.name, drill: prepared.drill, steps: plan.steps, findings, blocked }, () =>
        [drillPlanText(prepared), findingLines(findings)].join('\n\n'),
      )
      process.exitCode = blocked ? exitCodes.failed : exitCodes.done
      return
    }
    if (live === true && yes !== true) await confirmByName(confirmationOf(name, prepared), signal)
    const { runId, outcome } = await watching(print, catalog.file, (watcher) => runDrill(request, prepared, watcher, signal))
    print.result({ run: runId, result: outcome }, () => drillText(runId, prepared.drill, outcome))
    process.exitCode = drillExitCode(outcome)
  })

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value]
}

function readRunId(text: string): string {
  if (/^\w[\w.-]{0,99}$/.test(text)) return text
  const hint = 'letters, digits, - _ and ., at most 100 of them'
  throw new HoldfastError('usage', { message: `'${text}' is no id for a run`, hint })
}

function readWindow(text: string): { from: Date; to: Date } {
  const [from, to] = text
    .split('/')
    .map((part) => (/(?:Z|[+-]\d{2}:?\d{2})$/i.test(part) ? new Date(part) : new Date(Number.NaN)))
  if (from !== undefined && to !== undefined && from.getTime() < to.getTime()) return { from, to }
  throw new HoldfastError('usage', {
    message: `'${text}' is not a window`,
    hint: 'write it as 2026-12-01T10:00Z/2026-12-01T12:00Z',
  })
}

function confirmationOf(name: string, prepared: PreparedDrill): Confirmation {
  return {
    name,
    plan: () => drillPlanText(prepared),
    question: `This is the real plan, on the real thing. Type ${name} to run it: `,
    nobody: {
      message: 'a live drill works on the real thing, and nobody can be asked whether to go on: this is not a terminal',
      hint: 'look at it with --dry-run, then give --yes; or drill in a sandbox',
    },
  }
}
