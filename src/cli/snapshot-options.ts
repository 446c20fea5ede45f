import { Option } from '@commander-js/extra-typings'
import type { SnapshotFilter } from '../repository/index.ts'

/** The options that choose among snapshots, with restic's names and meaning: any of the hosts, all of the paths, any of the tag lists. */
export const hostOption = new Option('-H, --host <name>', 'only of this host; may be given again').argParser(collect)
export const pathOption = new Option('--path <path>', 'only with this path; may be given again, for all of them').argParser(
  collect,
)
export const tagOption = new Option(
  '--tag <tags>',
  "only with these tags, separated by commas ('' for none at all); may be given again, for any of the lists",
).argParser(collect)

export interface FilterOptions {
  readonly host?: readonly string[]
  readonly path?: readonly string[]
  readonly tag?: readonly string[]
}

export function filterOf({ host: hosts = [], path: paths = [], tag = [] }: FilterOptions): SnapshotFilter {
  return { hosts, paths, tagLists: tag.map(splitTags) }
}

/** restic's list of tags: separated by commas, white space around them does not count. */
export function splitTags(list: string): string[] {
  return list.split(',').map((tag) => tag.trim())
}

/** For options that may be given again. */
export function collect(value: string, values: readonly string[] = []): readonly string[] {
  return [...values, value]
}

/** `ID`, or `ID:PATH` for a folder in it. */
export function splitSnapshot(text: string): { readonly id: string; readonly subtree?: string } {
  const colon = text.indexOf(':')
  return colon === -1 ? { id: text } : { id: text.slice(0, colon), subtree: text.slice(colon + 1) }
}
