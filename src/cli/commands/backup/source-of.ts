import type { Source } from '../../../backup/index.ts'
import { HoldfastError } from '../../../kernel/index.ts'
import { cacheMarker, commandOutput, createFilesSource, createStreamSource, parseMarker } from '../../../sources/index.ts'
import type { Printer } from '../../output/printer.ts'
import { readPatterns } from './read-patterns.ts'
import { readTargets } from './read-targets.ts'

/** The options that say what is saved. */
export interface SourceChoice {
  readonly exclude?: readonly string[]
  readonly iexclude?: readonly string[]
  readonly excludeFile?: readonly string[]
  readonly iexcludeFile?: readonly string[]
  readonly excludeCaches?: true
  readonly excludeIfPresent?: readonly string[]
  readonly excludeLargerThan?: number
  readonly oneFileSystem?: true
  readonly filesFrom?: readonly string[]
  readonly filesFromVerbatim?: readonly string[]
  readonly filesFromRaw?: readonly string[]
  readonly stdin?: true
  readonly stdinFromCommand?: true
  readonly stdinName?: string
  readonly stdinFilename?: string
  readonly ignoreCtime?: true
  readonly ignoreInode?: true
  readonly withAtime?: true
}

/** What is saved, and what to call it. Throws `usage` for options that do not go together. */
export async function sourceOf(
  paths: readonly string[],
  { tags, ...choice }: SourceChoice & { readonly tags: readonly string[] },
  print: Printer,
): Promise<{ readonly source: Source; readonly what: string }> {
  if (choice.stdin || choice.stdinFromCommand) return streamOf(paths, { tags, ...choice })
  const { excludeIfPresent = [], excludeLargerThan } = choice
  const targets = [...paths, ...(await readTargets(choice, (text) => print.note(text)))]
  const source = createFilesSource({
    paths: targets,
    tags,
    excludes: [...(choice.exclude ?? []), ...(await readPatterns(choice.excludeFile ?? []))],
    iexcludes: [...(choice.iexclude ?? []), ...(await readPatterns(choice.iexcludeFile ?? []))],
    markers: [...excludeIfPresent.map(parseMarker), ...(choice.excludeCaches ? [cacheMarker] : [])],
    ...(excludeLargerThan !== undefined && { largerThan: excludeLargerThan }),
    oneFileSystem: choice.oneFileSystem ?? false,
    ignoreCtime: choice.ignoreCtime ?? false,
    ignoreInode: choice.ignoreInode ?? false,
    withAtime: choice.withAtime ?? false,
  })
  return { source, what: targets.length > 5 ? `${targets.length} paths` : targets.join(', ') }
}

function streamOf(
  paths: readonly string[],
  { stdin, stdinFromCommand, stdinName, stdinFilename, tags, ...forFiles }: SourceChoice & { readonly tags: readonly string[] },
): { readonly source: Source; readonly what: string } {
  if (stdin && stdinFromCommand)
    throw new HoldfastError('usage', { message: 'give either --stdin or --stdin-from-command, not both' })
  if (forFiles.filesFrom ?? forFiles.filesFromRaw ?? forFiles.filesFromVerbatim)
    throw new HoldfastError('usage', { message: 'a snapshot of stdin holds nothing else: --files-from cannot be given, too' })
  const name = stdinName ?? stdinFilename ?? 'stdin'
  if (stdinFromCommand) {
    if (paths.length === 0)
      throw new HoldfastError('usage', {
        message: 'which command to run is not said',
        hint: 'give it behind --: -- pg_dump shop',
      })
    const pieces = (signal: AbortSignal) => commandOutput(paths, signal)
    return { source: createStreamSource({ name, pieces, mayBeEmpty: true, tags }), what: `${name}, from ${paths[0] ?? ''}` }
  }
  if (paths.length > 0)
    throw new HoldfastError('usage', { message: 'a snapshot of stdin holds nothing else: no paths can be given, too' })
  if (process.stdin.isTTY)
    throw new HoldfastError('usage', { message: 'nothing is piped to stdin', hint: 'pg_dump shop | holdfast backup --stdin' })
  return { source: createStreamSource({ name, pieces: () => process.stdin, tags }), what: `${name}, from stdin` }
}
