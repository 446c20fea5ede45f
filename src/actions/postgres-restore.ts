import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { restoreSnapshot } from '../backup/index.ts'
import { repositoryName, serviceName, type Service } from '../catalog/index.ts'
import { blocker, isHoldfastError, type Json, quote } from '../kernel/index.ts'
import {
  createFetcher,
  describeWindow,
  formatLsn,
  formatTimeUs,
  inspectServer,
  linkTablespaces,
  ownFolder,
  prepareRecovery,
  requirePostgres,
  requireReachable,
  resolveTarget,
  serverAccount,
} from '../postgres/index.ts'
import type { Repository } from '../repository/index.ts'
import { backupPaths, type BaseBackupRecord } from '../sources/index.ts'
import type { ActionContext, Attempt, Finding } from './contract.ts'
import { defineAction } from './define-action.ts'
import { pathOrOutput } from './param-types.ts'
import { chooseBaseBackup, type ChosenBackup } from './restored/choose-base-backup.ts'
import { manualWalReplay } from './restored/manual-wal.ts'
import { beginRestore, finishRestore, isEmpty, notEmpty, removeRestored } from './restored/marker.ts'
import { probeRestored } from './restored/probe.ts'
import { restoreProgress } from './restored/progress.ts'
import { fromCopy, openCopy, resticRepository, serviceAndRepository } from './restored/repository-of.ts'
import { manualRemoval, nearestExisting, syncFileSystem, targetFindings } from './restored/target.ts'
import { assertNotRunning } from './restored/server-of.ts'
import { reachOfFolder } from './reach.ts'
import { movedTarget } from './restored/moved-target.ts'

const params = z.strictObject({
  service: serviceName.describe('Whose newest base backup that can reach the target is restored.'),
  repository: repositoryName.describe('Default: the first that the service is backed up to.').optional(),
  target: pathOrOutput.describe('The new data directory: absent or empty. Outputs: dataDirectory, snapshot, timeline, …'),
})

/**
 * Restores the newest base backup that can reach the run's target into a new data directory, and prepares it to recover to there and pause.
 * Nothing is started.
 */
export const postgresRestore = defineAction<z.infer<typeof params>>({
  kind: 'postgres.restore',
  description:
    'Restores a PostgreSQL base backup into a new data directory, and prepares it to recover to the run’s target and to pause there. It takes the newest base backup from which the target can be reached. Nothing is started. Among its outputs are `dataDirectory`, `snapshot` and `timeline`; the undo removes what it restored.',
  example: { service: 'orders-db', target: '/var/lib/postgresql/15/recovered' },
  effect: 'reversible',
  params,

  async preflight({ service: name, repository: repositoryParam, target }, context, signal) {
    const copy = serviceAndRepository(context.catalog, name, repositoryParam)
    const { service } = copy
    await using repository = await openCopy(context, copy, signal)
    const backup = await fromCopy(copy, () => chooseReaching(repository, name, context, signal))
    return [
      ...(await targetFindings(target, backup.record.bytes, [service.data.postgres?.dataDirectory ?? []].flat())),
      ...(await tablespaceFindings(target, backup.record)),
      ...(await reachableFindings(service, target)),
      ...(await sourceFindings(service, target, context, signal)),
      ...installationFindings(service, backup.record.version),
      ...gapFindings(backup),
    ]
  },

  probe: ({ target }, _context, { idempotencyKey }) => probeRestored(target, idempotencyKey),

  async run({ service: name, repository: repositoryParam, target }, context, attempt) {
    const { signal, idempotencyKey } = attempt
    const copy = serviceAndRepository(context.catalog, name, repositoryParam)
    const { service, repository: chosen } = copy
    await using repository = await openCopy(context, copy, signal)
    const backup = await fromCopy(copy, () => chooseReaching(repository, name, context, signal))
    // Again, immediately before: what the preflight saw may have changed.
    const [source] = await sourceFindings(service, target, context, signal)
    if (source !== undefined) throw notEmpty(target)
    await assertNotRunning(target)
    await beginRestore(target, idempotencyKey, backup.record.tablespaces.length > 0 ? [tablespacesOf(target)] : [])
    const summary = await fromCopy(copy, () => restoreData({ repository, backup, service, target }, context, attempt))
    const prepared = await prepareIn(target, chosen, backup, context)
    await syncFileSystem(target, signal)
    const { window, record } = backup
    const output: Json = {
      service: name,
      repository: chosen,
      dataDirectory: target,
      snapshot: backup.snapshot.id,
      systemIdentifier: record.systemIdentifier,
      version: record.version,
      ...(record.superuser === undefined ? {} : { superuser: record.superuser }),
      backupStartLsn: record.startLsn,
      timeline: prepared.timeline,
      ...(prepared.stopLsn === undefined ? {} : { stopLsn: prepared.stopLsn }),
      // All that was committed by then is in the archive; the recovered server cannot know that of itself.
      ...(context.target.kind === 'latest' && window.end.completeUntilUs !== undefined
        ? { completeUntil: formatTimeUs(window.end.completeUntilUs) }
        : {}),
      archivedUntilLsn: formatLsn(window.end.lsn),
      switchedOff: prepared.disarmed.map((setting) => setting.name),
      files: summary.files,
      sizeBytes: summary.sizeBytes,
      skipped: summary.skipped,
    }
    await finishRestore(target, idempotencyKey, output)
    return output
  },

  reach: ({ target }, sandbox) => reachOfFolder(target, sandbox),
  inSandbox: (p, place) => movedTarget(p, place),

  async undo({ target }, _output, _context, { idempotencyKey }) {
    await assertNotRunning(target)
    await removeRestored(target, idempotencyKey)
  },

  manual({ service, repository, target }, catalog) {
    const from = resticRepository(catalog, service, repository)
    const account = catalog?.services[service]?.data.postgres?.runAs ?? 'postgres'
    const replay = catalog === undefined ? [] : manualWalReplay(target, service, repository, catalog)
    return [
      `restic -r ${from} snapshots --path /${backupPaths.root(service)}`,
      `restic -r ${from} restore SNAPSHOT --target ${quote(`${target}.restored`)}`,
      `mv ${quote(`${target}.restored/${backupPaths.data(service)}`)} ${quote(target)} && chmod 700 ${quote(target)} && chown -R ${quote(account)}: ${quote(target)}`,
      ...(replay.length > 0 ? replay : ['# this is the state of the base backup: no WAL behind it is replayed']),
    ]
  },
  manualUndo: ({ target }) => manualRemoval([target, tablespacesOf(target)]),
  foreseen: ({ target }) => ({ dataDirectory: target }),
})

/** The base backup to restore; throws also when the target cannot be reached from it after all. */
async function chooseReaching(
  repository: Repository,
  service: string,
  context: ActionContext,
  signal: AbortSignal,
): Promise<ChosenBackup> {
  const backup = await chooseBaseBackup(repository, service, context, signal)
  resolveTarget(backup.window, backup.target)
  return backup
}

/** Of this target alone: two services that are recovered beside each other have tablespaces of the same number. */
function tablespacesOf(target: string): string {
  return `${target}.tablespaces`
}

interface RestoreFacts {
  readonly repository: Repository
  readonly backup: ChosenBackup
  readonly service: Service
  readonly target: string
}

async function restoreData(
  { repository, backup: { snapshot, record }, service: { name, data }, target }: RestoreFacts,
  context: ActionContext,
  { signal }: Attempt,
): Promise<{ files: number; sizeBytes: number; skipped: number }> {
  const parts = [
    { subtree: backupPaths.data(name), folder: target },
    ...record.tablespaces.map(({ oid }) => ({
      subtree: `${backupPaths.root(name)}/tablespaces/${oid}`,
      folder: join(tablespacesOf(target), String(oid)),
    })),
  ]
  // The account's number may be another on the machine that was backed up.
  const account = await serverAccount(data.postgres?.runAs)
  let [files, sizeBytes, skipped] = [0, 0, 0]
  for (const { subtree, folder } of parts) {
    const summary = await restoreSnapshot(
      { repository, snapshot, subtree, target: folder },
      restoreProgress(context, snapshot),
      signal,
    )
    await ownFolder(folder, account)
    files += summary.files
    sizeBytes += summary.sizeBytes
    skipped += summary.skipped.length
  }
  if (record.tablespaces.length > 0) {
    await ownFolder(tablespacesOf(target), account)
    await linkTablespaces(target, tablespacesOf(target))
  }
  return { files, sizeBytes, skipped }
}

async function tablespaceFindings(target: string, { tablespaces }: BaseBackupRecord): Promise<Finding[]> {
  const folder = tablespacesOf(target)
  if (tablespaces.length === 0 || (await isEmpty(folder))) return []
  const { code, message, hint } = notEmpty(folder)
  return [blocker(code, message, hint)]
}

/** Better known before hours of restoring than after them. */
async function reachableFindings({ data }: Service, target: string): Promise<Finding[]> {
  try {
    await requireReachable(join(await nearestExisting(dirname(target)), 'x'), await serverAccount(data.postgres?.runAs))
    return []
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    const { code, message, hint } = error
    return [blocker(code, message, hint)]
  }
}

async function prepareIn(
  target: string,
  repository: string,
  { archive, window, target: to }: ChosenBackup,
  context: ActionContext,
) {
  await using fetcher = await createFetcher({
    dataDir: target,
    archive,
    untilDamage: window.endedBy === 'damage',
    ...context.fetching(repository),
  })
  return await prepareRecovery({ dataDir: target, window, target: to, fetchCommand: fetcher.command })
}

/** Refuses a folder that the service's server says it is running on, wherever the catalog says that it is. */
async function sourceFindings(
  { data }: Service,
  target: string,
  context: ActionContext,
  signal: AbortSignal,
): Promise<Finding[]> {
  if (data.postgres === undefined) return []
  let directory: string | undefined
  try {
    const { url } = data.postgres
    const resolved = typeof url === 'string' ? url : (await context.resolveSecret(url, signal)).reveal()
    directory = (await inspectServer(resolved, signal)).dataDirectory
  } catch {
    // It is what is being recovered: that it does not answer is no reason not to.
    signal.throwIfAborted()
    return []
  }
  const same = directory !== undefined && (await sameFolder(directory, target))
  return same ? [blocker('target-is-source', `${target} is the data directory of the running server`)] : []
}

async function sameFolder(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((path) => stat(path, { bigint: true }).catch(() => undefined)))
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino
}

function installationFindings({ data }: Service, version: number): Finding[] {
  if (data.postgres?.binDirectory !== undefined) return []
  try {
    requirePostgres(version)
    return []
  } catch {
    const message = `the backup is of PostgreSQL ${version}, and this machine has no server programs of that version`
    return [blocker('postgres-not-found', message, `install postgresql-${version}, or name binDirectory in the catalog`)]
  }
}

/** The newest state is behind a hole: worth knowing before choosing `latest`. */
function gapFindings({ window }: ChosenBackup): Finding[] {
  if (window.endedBy === 'archive-end') return []
  const message = `the archived WAL ends in ${window.endedBy === 'gap' ? 'a gap' : 'damage'}: it can be recovered ${describeWindow(window)}`
  return [{ severity: 'warning', code: 'wal-gap', message, hint: 'take a new base backup as soon as the server is up' }]
}
