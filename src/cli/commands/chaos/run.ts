import { Option } from '@commander-js/extra-typings'
import {
  dryKinds,
  hypothesisStrategies,
  parseVariable,
  rollbackStrategies,
  verdictExitCodes,
  type CtkResult,
} from '../../../chaos/index.ts'
import { exitCodes, HoldfastError, type Json } from '../../../kernel/index.ts'
import { loadRunCatalog, placesAsJson, runExperimentFile } from '../../../service/index.ts'
import { catalogPath } from '../../catalog-path.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { isUnrecorded, runNamed } from './run-named.ts'
import { entryText, resultText } from './wording.ts'

export const chaosRunCommand = command('run', 'run an experiment, clean up after it, and say what it showed', [
  ['holdfast chaos run freeze-orders', 'an experiment of the catalog'],
  ['holdfast chaos run freeze-orders --repeat 10', 'ten times, and what that says of how often it passes'],
  ['holdfast chaos run experiment.json', 'an experiment of Chaos Toolkit, by the rules of Holdfast'],
  ['holdfast chaos run experiment.yaml --journal journal.json', 'and write its journal, line by line from the start'],
  ['holdfast chaos run experiment.json --var host=db-2 --var port:int=5433', 'with other values of its configuration'],
  ['holdfast chaos run experiment.json --var-file staging.yaml', 'and from files, over which --var counts'],
  ['holdfast chaos run experiment.json --service orders', 'and on record, with this service of the catalog'],
  ['holdfast chaos run experiment.json --ctk-strict', 'as Chaos Toolkit itself would, in everything'],
])
  .argument('<experiment>', 'an experiment of the catalog, or a file with one of Chaos Toolkit (.json, .yaml, .yml)')
  .option('--repeat <n>', 'of the catalog: so many times, until one ends early or leaves something', readCount)
  .option('--approve <hash>', 'of the catalog: the hash that `holdfast chaos plan` shows, by whoever has looked at it')
  .option('--journal <file>', 'write the journal of Chaos Toolkit there, and its lines beside it as they come about')
  .option(
    '--var <name[:type]=value>',
    'a value of the configuration; may be given several times',
    collect,
    [] as readonly string[],
  )
  .option(
    '--var-file <file>',
    'values of configuration and secrets (.json, .yaml), or of the environment (.env); may be given several times',
    collect,
    [] as readonly string[],
  )
  .option(
    '--service <name>',
    'of a file: a service of the catalog that it is about, to put the run on record; may be given several times',
    collect,
    [] as readonly string[],
  )
  .addOption(new Option('--dry <what>', 'play the experiment without these; pause: without sleeping').choices(dryKinds))
  .addOption(new Option('--hypothesis-strategy <when>', 'when the steady state is looked at').choices(hypothesisStrategies))
  .option('--hypothesis-frequency <seconds>', 'between two looks while the method runs', readSeconds)
  .option('--fail-fast', 'end the method at the first look meanwhile that is not met')
  .addOption(new Option('--rollback-strategy <when>', 'when rollbacks are played').choices(rollbackStrategies))
  .option('--python-only', 'of a file: leave functions of chaosk8s to Python too, with the package that is installed there')
  .option('--ctk-strict', 'follow Chaos Toolkit also where that calls a success what is none')
  .action(async (file, options, self) => {
    const { globals, print, signal } = contextOf(self)
    if (!/\.(?:json|ya?ml)$/.test(file)) return await runNamed(file, options, contextOf(self))
    const { journal, dry, hypothesisStrategy, hypothesisFrequency, failFast, rollbackStrategy, ctkStrict } = options
    const strict = ctkStrict === true
    const request = {
      file,
      strict,
      variableFiles: options.varFile,
      configuration: Object.fromEntries(options.var.map(parseVariable)),
      onEntry: (entry: Json) => {
        const text = entryText(entry)
        if (print.json) print.progress(entry as { type: string }, () => text ?? '')
        else if (text !== undefined) print.note(text)
      },
      ...(options.service.length === 0
        ? {}
        : { record: { catalog: await loadRunCatalog(catalogPath(globals), signal), services: [...new Set(options.service)] } }),
      onUnknownControl: (name: string, problem: string) => print.note(`${name} ${problem}: left out`),
      ...(journal === undefined ? {} : { journal }),
      ...(dry === undefined ? {} : { dry }),
      ...(hypothesisStrategy === undefined ? {} : { hypothesisStrategy }),
      ...(hypothesisFrequency === undefined ? {} : { hypothesisEveryMs: hypothesisFrequency * 1000 }),
      ...(failFast === true ? { failFast } : {}),
      ...(options.pythonOnly === true ? { pythonOnly: true } : {}),
      ...(rollbackStrategy === undefined ? {} : { rollbackStrategy }),
    }
    const { ledger, ...result } = await runExperimentFile(request, signal)
    const shown = { ...result, ...(ledger === undefined ? {} : { ledger: placesAsJson(ledger) }) }
    print.result(shown, () => resultText({ ...result, ...(ledger === undefined ? {} : { ledger }) }))
    const exitCode =
      result.verdict === 'pass' && result.runId !== undefined && isUnrecorded(ledger)
        ? exitCodes.partlyDone
        : verdictExitCodes[result.verdict]
    process.exitCode = strict ? strictExitCode(result) : exitCode
  })

/** As `chaos run` ends: 0 for what is completed and has not deviated, whatever it showed. */
function strictExitCode({ journal }: CtkResult): 0 | 1 {
  return journal.status === 'completed' && !journal.deviated ? exitCodes.done : exitCodes.failed
}

function readCount(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text)
  throw new HoldfastError('usage', { message: `'${text}' is no number of runs` })
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value]
}

function readSeconds(text: string): number {
  const seconds = Number(text)
  if (text.trim() !== '' && seconds > 0 && Number.isFinite(seconds)) return seconds
  throw new HoldfastError('usage', { message: `'${text}' is no number of seconds` })
}
