import { access, chmod, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { HoldfastError, systemCode } from '../../kernel/index.ts'
import { formatLsn } from '../lsn.ts'
import type { RecoverableWindow } from '../wal/window.ts'
import { readControlFile, type RequiredSetting } from './control-file.ts'
import { overridesFile, readDataFile, readSettings, replaceSettings, giveToOwner, writeDataFile } from './settings-file.ts'
import { resolveTarget, type RecoveryTarget } from './target.ts'

/** Everything of a recovery that is not the server's own lies here, in the data directory, and goes when it is finished. */
export const recoveryFolder = 'holdfast-recovery'

/** What a copy of a primary must not do until somebody decides: archive into the old place, wait for standbys, follow the old primary. */
const disarmed: Readonly<Record<string, string>> = {
  archive_mode: 'off',
  archive_command: '',
  archive_library: '',
  synchronous_standby_names: '',
  primary_conninfo: '',
  primary_slot_name: '',
  archive_cleanup_command: '',
  recovery_end_command: '',
}

/** All that steers a recovery: reset, so that nothing the source once had set remains. */
const recoveryDefaults: Readonly<Record<string, string>> = {
  recovery_target_inclusive: 'on',
  recovery_target_action: 'pause',
  hot_standby: 'on',
  recovery_min_apply_delay: '0',
}

/** Of these only one may be named at all, even as empty; a left-over of an earlier recovery of the source is taken out. */
const targets = new Set([
  'recovery_target',
  'recovery_target_lsn',
  'recovery_target_name',
  'recovery_target_time',
  'recovery_target_xid',
])

const requiredDefaults: Readonly<Record<RequiredSetting, number>> = {
  max_connections: 100,
  max_worker_processes: 8,
  max_wal_senders: 10,
  max_prepared_transactions: 0,
  max_locks_per_transaction: 64,
}

const preparedSchema = z.strictObject({
  version: z.literal(1),
  timeline: z.int(),
  /** Replay must reach it; absent for a target time. */
  stopLsn: z.string().optional(),
  /** What bounds the archived WAL; with `gap`, WAL goes on behind a hole, where recovery cannot go. */
  endedBy: z.enum(['archive-end', 'gap', 'damage']),
  recoverySettings: z.array(z.string()),
  disarmed: z.array(z.object({ name: z.string(), was: z.string() })),
  wroteConfiguration: z.boolean(),
})

/** A data directory that is ready to be recovered. Kept in it, so that whoever takes over knows. */
export type PreparedRecovery = z.output<typeof preparedSchema>

export interface RecoveryRequest {
  /** Restored, not started. */
  readonly dataDir: string
  readonly window: RecoverableWindow
  readonly target: RecoveryTarget
  /** The restore_command: see `createFetcher`. Not used when the backup alone reaches the target. */
  readonly fetchCommand?: string | undefined
}

/**
 * Writes what makes the server on a restored data directory recover to the target and pause there: recovery.signal, and settings in
 * postgresql.auto.conf, with the window's timeline as a number. What the old primary did towards others (archiving, synchronous standbys) is
 * switched off and listed. backup_label is left as it is: without it PostgreSQL would start from the wrong place.
 *
 * Throws `recovery-target` when the window does not have the target, `postgres-failed` when the folder is not a restored backup,
 * `identity-mismatch` when it has been started already.
 */
export async function prepareRecovery(request: RecoveryRequest): Promise<PreparedRecovery> {
  const { dataDir, window, target } = request
  const stop = resolveTarget(window, target)
  const control = await readControlFile(dataDir)
  await requireRestored(dataDir)
  const configuration = await readDataFile(dataDir, 'postgresql.conf')
  const overrides = await readDataFile(dataDir, overridesFile)
  const current = new Map([...readSettings(configuration), ...readSettings(overrides)].map(({ name, value }) => [name, value]))
  const settings: Record<string, string> = {
    ...recoveryDefaults,
    ...stop.settings,
    recovery_target_timeline: String(window.history.timeline),
    // PostgreSQL wants a command even where there is nothing to fetch.
    restore_command: 'exit 1',
  }
  // Without archived WAL behind the backup's end, the WAL within the backup is all there is: an archive that ends earlier would cut it short.
  if (window.end.lastRecord !== undefined) {
    if (request.fetchCommand === undefined) {
      throw new HoldfastError('internal', { message: 'a recovery from archived WAL needs a command to fetch it' })
    }
    settings.restore_command = request.fetchCommand
  }
  for (const [name, least] of Object.entries(control.required) as [RequiredSetting, number][]) {
    const configured = Number(current.get(name) ?? requiredDefaults[name])
    if (!(configured >= least)) settings[name] = String(least)
  }
  const prepared: PreparedRecovery = {
    version: 1,
    timeline: window.history.timeline,
    ...(stop.lsn === undefined ? {} : { stopLsn: formatLsn(stop.lsn) }),
    endedBy: window.endedBy,
    recoverySettings: Object.keys(settings),
    disarmed: Object.entries(disarmed).flatMap(([name, off]) => {
      const was = current.get(name)
      return was === undefined || was === off ? [] : [{ name, was }]
    }),
    wroteConfiguration: configuration === '',
  }
  await mkdir(join(dataDir, recoveryFolder), { recursive: true, mode: 0o700 })
  await giveToOwner(dataDir, join(dataDir, recoveryFolder))
  await writeDataFile(dataDir, join(recoveryFolder, 'prepared.json'), `${JSON.stringify(prepared)}\n`)
  if (prepared.wroteConfiguration) await writeConfiguration(dataDir, control.required)
  const all = { ...disarmed, ...settings }
  // archive_library exists since version 15; an unknown name would keep the server from starting.
  if ((await majorVersion(dataDir)) < 15) delete all.archive_library
  if (readSettings(configuration).some(({ name }) => targets.has(name))) {
    await writeDataFile(dataDir, 'postgresql.conf', replaceSettings(configuration, targets, {}))
  }
  await writeDataFile(dataDir, overridesFile, replaceSettings(overrides, new Set([...Object.keys(all), ...targets]), all))
  await rm(join(dataDir, 'standby.signal'), { force: true })
  await writeDataFile(dataDir, 'recovery.signal', '')
  await chmod(dataDir, 0o700)
  return prepared
}

/** What `prepareRecovery` left in a data directory; undefined when there is no recovery under way in it. */
export async function preparedRecovery(dataDir: string): Promise<PreparedRecovery | undefined> {
  try {
    return preparedSchema.parse(JSON.parse(await readFile(join(dataDir, recoveryFolder, 'prepared.json'), 'utf8')))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Takes the recovery settings out again, after promotion; what was switched off stays off. Doing it twice is fine. Throws
 * `postgres-failed` while the server is still to be recovered.
 */
export async function finishRecovery(dataDir: string): Promise<PreparedRecovery | undefined> {
  const prepared = await preparedRecovery(dataDir)
  if (!prepared) return undefined
  if (await exists(join(dataDir, 'recovery.signal'))) {
    throw new HoldfastError('postgres-failed', {
      message: `${dataDir} has not been promoted: it is still in recovery`,
      hint: 'promote it first; without its settings it could not go on recovering',
    })
  }
  const overrides = await readDataFile(dataDir, overridesFile)
  await writeDataFile(dataDir, overridesFile, replaceSettings(overrides, new Set(prepared.recoverySettings), {}))
  await rm(join(dataDir, recoveryFolder), { recursive: true, force: true })
  return prepared
}

async function requireRestored(dataDir: string): Promise<void> {
  if (await exists(join(dataDir, 'postmaster.pid'))) {
    throw new HoldfastError('identity-mismatch', {
      message: `${dataDir} is in use by a server, or was: it is not a freshly restored backup`,
      hint: 'restore into a new folder',
    })
  }
  if (await exists(join(dataDir, 'backup_label'))) return
  throw new HoldfastError('postgres-failed', {
    message: `${dataDir} has no backup_label, so it is not a freshly restored backup`,
    hint: 'restore it again into a new folder; without that file PostgreSQL would begin to replay at the wrong place',
  })
}

/** For servers that keep their configuration elsewhere, as Debian's do: what a recovery needs to start. */
async function writeConfiguration(dataDir: string, required: Readonly<Record<RequiredSetting, number>>): Promise<void> {
  const lines = [
    '# Written for the recovery: the source kept its configuration outside of its data directory.',
    ...Object.entries(required).map(([name, value]) => `${name} = ${value}`),
    '',
  ]
  await writeDataFile(dataDir, 'postgresql.conf', lines.join('\n'))
}

async function majorVersion(dataDir: string): Promise<number> {
  return Number.parseInt(await readFile(join(dataDir, 'PG_VERSION'), 'utf8'), 10)
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
