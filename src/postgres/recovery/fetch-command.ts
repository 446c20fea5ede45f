import { mkdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { reachableByAccount } from '../server/reachable.ts'
import { workerEntry } from '../../threads/index.ts'
import type { WalArchive } from '../wal/contract.ts'
import { startFetchAgent } from './fetch-agent.ts'
import type { FetchConfig } from './fetch-config.ts'
import { recoveryFolder } from './prepare.ts'
import { giveToOwner, writeDataFile } from './settings-file.ts'

export interface FetcherOptions {
  /** Restored, not started. */
  readonly dataDir: string
  readonly archive: WalArchive
  readonly repository: FetchConfig['repository']
  /** How to run this program, without its arguments: what the restore_command falls back to when this process is gone. */
  readonly program: readonly string[]
  /** The window ends in damage: what lies before it in the same segment is served. */
  readonly untilDamage?: boolean
}

/** Disposing it ends the agent; the command goes on working through the fallback. */
export interface Fetcher extends AsyncDisposable {
  /** The restore_command. */
  readonly command: string
}

/** The exit codes by which `fetch-wal` and the agent's client say `absent` to the script; 1 could also mean that they could not start. */
export const absentExitCode = 44
const nobodyExitCode = 45
/** PostgreSQL ends its recovery with an error for codes above 125, and takes all others for the end of WAL. */
export const failedExitCode = 200

/**
 * Makes the restore_command of a data directory: a script that looks into the spool (2 ms), then asks the agent in this process (60 ms),
 * and opens the repository by itself when this process is gone. It ends with 1 only for verified absence.
 */
export async function createFetcher(options: FetcherOptions): Promise<Fetcher> {
  const dataDir = resolve(options.dataDir)
  const folder = join(dataDir, recoveryFolder)
  const spool = join(folder, 'spool')
  for (const path of [folder, spool]) {
    await mkdir(path, { recursive: true, mode: 0o700 })
    await giveToOwner(dataDir, path)
  }
  const config: FetchConfig = {
    version: 1,
    systemIdentifier: options.archive.systemIdentifier,
    repository: options.repository,
    ...(options.untilDamage === true ? { untilDamage: true } : {}),
  }
  await writeDataFile(dataDir, join(recoveryFolder, 'fetch.json'), `${JSON.stringify(config)}\n`)
  const agent = await startFetchAgent({ ...options, dataDir }, folder, spool)
  const script = join(folder, 'fetch-wal')
  const fallback = [...options.program, 'postgres', 'fetch-wal', '--config', join(folder, 'fetch.json')]
  await writeDataFile(
    dataDir,
    join(recoveryFolder, 'fetch-wal'),
    scriptText({ spool, socketPath: agent.socketPath, client: await clientProgram(dataDir), fallback }),
    0o700,
  )
  return {
    command: `/bin/sh ${quote(script).replaceAll('%', '%%')} %f %p`,
    [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
  }
}

/** Node and the client, where the user that the server runs as can reach them. */
async function clientProgram(dataDir: string): Promise<string[]> {
  const owner = await stat(dataDir)
  const client = fileURLToPath(workerEntry('../fetch-wal-worker', import.meta.url))
  return [await reachableByAccount(process.execPath, owner), await reachableByAccount(client, owner)]
}

function scriptText(parts: {
  readonly spool: string
  readonly socketPath: string
  readonly client: readonly string[]
  readonly fallback: readonly string[]
}): string {
  const words = (list: readonly string[]) => list.map(quote).join(' ')
  return `#!/bin/sh
# PostgreSQL's restore_command for this recovery, written by Holdfast: fetch-wal NAME DESTINATION.
# 0: fetched. 1: the archive does not have it. ${failedExitCode}: anything else, so that PostgreSQL stops instead of taking it for the end of WAL.
if mv ${quote(parts.spool)}/"$1" "$2" 2>/dev/null; then exit 0; fi
if [ -S ${quote(parts.socketPath)} ]; then
  ${words(parts.client)} ${quote(parts.socketPath)} ${quote(parts.spool)} "$1" "$2"
  status=$?
else
  status=${nobodyExitCode}
fi
if [ $status -eq ${nobodyExitCode} ]; then
  ${words(parts.fallback)} --absent-exit-code ${absentExitCode} "$1" "$2"
  status=$?
fi
case $status in
  0) exit 0 ;;
  ${absentExitCode}) exit 1 ;;
  *) exit ${failedExitCode} ;;
esac
`
}

/** One word of a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
