import { defaultCatalog } from '../../catalog/index.ts'
import { Option } from '@commander-js/extra-typings'
import pc from 'picocolors'
import { exitCodes, shortId } from '../../kernel/index.ts'
import { createRepositoryAt, initCatalog, openSourceRepository } from '../../service/index.ts'
import type { InitOutcome, RepositoryOutcome, SourceChoice } from '../../service/index.ts'
import { command } from '../command.ts'
import { contextOf } from '../context.ts'

const keepPassword = 'without its password nothing in a repository can be read: keep the password in a second place too'

export const initCommand = command('init', 'begin: write a starter catalog, or make the repositories that a catalog names', [
  ['holdfast init', 'without holdfast.yaml: a starter for the PostgreSQL that is found'],
  ['holdfast init', 'with holdfast.yaml: the repositories that it names and that are not there yet'],
  ['holdfast --repo /mnt/nas/holdfast --password-file /etc/holdfast/password init', 'a new repository there'],
  [
    'holdfast --repo /mnt/usb --password-file usb.txt init --copy-chunker-params --from-repo /mnt/nas --from-password-file nas.txt',
    'one that cuts content where another does, so that copies from it share blobs with backups',
  ],
])
  .option('--copy-chunker-params', 'cut content where another repository does: by default the first of the catalog')
  .option('--from <name>', 'with --copy-chunker-params: which of the catalog’s repositories')
  .addOption(new Option('--from-repo <location>', 'with --copy-chunker-params: the repository').env('HOLDFAST_FROM_REPOSITORY'))
  .addOption(new Option('--from-password-file <file>', 'the file that holds its password').env('HOLDFAST_FROM_PASSWORD_FILE'))
  .action(async ({ copyChunkerParams = false, ...source }, self) => {
    const { globals, print, signal } = contextOf(self)
    const { repo, catalog } = globals
    const isNamed = source.from !== undefined || source.fromRepo !== undefined
    const choice = { ...source, ...(catalog !== undefined && { catalog }) }
    const like = copyChunkerParams && (isNamed || repo !== undefined) ? await chunkerOf(choice, signal) : {}
    if (repo === undefined) {
      const options = { ...like, sameChunker: copyChunkerParams }
      const outcome = await initCatalog(catalog ?? defaultCatalog(), options, signal)
      print.result(outcome.kind === 'starter' ? outcome : { ...outcome, repositories: outcome.repositories.map(asJson) }, () =>
        outcomeText(outcome),
      )
      const failed = outcome.kind === 'repositories' && outcome.repositories.some(({ state }) => state === 'failed')
      process.exitCode = failed ? exitCodes.failed : exitCodes.done
      return
    }
    await using repository = await createRepositoryAt({ ...globals, repo }, like, signal)
    const { id, location, config } = repository
    print.result({ repository: id, location, version: config.version }, () =>
      [`repository ${shortId(id)} made at ${location}`, keepPassword].join('\n'),
    )
  })

async function chunkerOf(choice: SourceChoice, signal: AbortSignal): Promise<{ chunkerPolynomial: bigint }> {
  await using source = await openSourceRepository(choice, signal)
  const { chunkerPolynomial } = source.repository.config
  return { chunkerPolynomial }
}

function outcomeText(outcome: InitOutcome): string {
  if (outcome.kind === 'starter') {
    const { file, found } = outcome
    return [
      `wrote ${file} ${found === undefined ? '(no PostgreSQL was found on this machine: it is to be named in it)' : `for the PostgreSQL found by ${found.foundBy}`}`,
      'next: read it and correct it, then `holdfast validate`, then `holdfast init` again to make its repository',
    ].join('\n')
  }
  const { file, repositories } = outcome
  if (repositories.length === 0) return `${file} names no repository: there is nothing to make`
  const made = repositories.some(({ state }) => state === 'made')
  return [...repositories.map(repositoryText), ...(made ? [keepPassword] : [])].join('\n')
}

function repositoryText({ name, location, state, id, error }: RepositoryOutcome): string {
  if (state === 'made') return `${pc.green('✓')} ${name}: repository ${shortId(id ?? '')} made at ${location}`
  if (state === 'already-there') return `${pc.green('✓')} ${name}: there is a repository at ${location} already`
  const hint = error?.hint === undefined ? '' : `\n  hint: ${error.hint}`
  return `${pc.red('✗')} ${name}: ${error?.message ?? 'it was not made'}${hint}`
}

function asJson({ error, ...outcome }: RepositoryOutcome): object {
  return error === undefined ? outcome : { ...outcome, error: { code: error.code, message: error.message, hint: error.hint } }
}
