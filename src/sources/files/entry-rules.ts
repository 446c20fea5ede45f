import { lstatSync } from 'node:fs'
import { loadPosix } from '../../backup/index.ts'
import { createExclusions, type ExcludeOptions, type Exclusions } from './exclude.ts'
import { NodeReader } from './node-reader.ts'
import { loadOwners, type Owners } from './owners.ts'

export interface EntryOptions extends ExcludeOptions {
  /** Keep when files were last read: it makes every tree new that has one that was. */
  readonly withAtime?: boolean
}

/** What a backup says about the entries that it meets, in whatever thread: may be passed to one. */
export interface EntryRules extends EntryOptions {
  /** Those that the targets are on, when others are left out. */
  readonly devices: readonly bigint[]
}

/** These options alone. */
export function entryRules(
  { excludes, iexcludes, markers, largerThan, oneFileSystem = false, withAtime = false }: EntryOptions,
  targets: readonly Buffer[],
): EntryRules {
  return {
    ...(excludes && { excludes }),
    ...(iexcludes && { iexcludes }),
    ...(markers && { markers }),
    ...(largerThan !== undefined && { largerThan }),
    oneFileSystem,
    withAtime,
    devices: oneFileSystem ? targets.flatMap((path) => lstatSync(path, { bigint: true, throwIfNoEntry: false })?.dev ?? []) : [],
  }
}

/** What judges entries by them, and makes nodes of them. */
export interface EntryTools {
  readonly exclusions: Exclusions
  readonly nodes: NodeReader
  readonly owners: Owners
}

export async function openEntryRules(rules: EntryRules): Promise<EntryTools> {
  const owners = await loadOwners()
  return {
    exclusions: createExclusions(rules, new Set(rules.devices)),
    nodes: new NodeReader(owners, loadPosix(), rules),
    owners,
  }
}
