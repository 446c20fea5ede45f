import { Command, Option } from '@commander-js/extra-typings'

/** What every command accepts, before or after its name. */
export interface GlobalOptions {
  readonly repo?: string
  readonly passwordFile?: string
  readonly catalog?: string
  readonly json?: true
}

/**
 * A command: its arguments and summary here, options chained on by the caller, and an action that parses, calls the layers below and
 * prints. Examples are shown by --help, each with what it is for.
 *
 * @example command('snapshots', 'list what a repository holds', [['holdfast --repo /mnt/nas snapshots', 'everything in it']])
 */
export function command(name: string, summary: string, examples: readonly (readonly [line: string, purpose: string])[]) {
  const width = Math.max(...examples.map(([line]) => line.length))
  const shown = examples.map(([line, purpose]) => `  ${line.padEnd(width)}   ${purpose}`).join('\n')
  return new Command(name)
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .addHelpText('after', `\nExamples:\n${shown}`)
}

/** The options of the whole program, shown by every command's help under "Global Options". */
export function addGlobalOptions(program: Command): void {
  program
    .addOption(new Option('--repo <location>', 'the repository: a path').env('HOLDFAST_REPOSITORY'))
    .addOption(
      new Option('--password-file <file>', "the file that holds the repository's password").env('HOLDFAST_PASSWORD_FILE'),
    )
    .addOption(
      new Option('--catalog <file>', 'the catalog (default: ./holdfast.yaml, or ./holdfast.config.ts)').env('HOLDFAST_CATALOG'),
    )
    .option('--json', 'print the result as one JSON object on stdout, progress as NDJSON on stderr')
}
