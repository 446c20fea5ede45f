import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError } from '../../kernel/index.ts'

/** What global/pg_control says about a data directory. */
export interface ControlFacts {
  readonly systemIdentifier: string
  /** What the server on it was doing when it last said so. */
  readonly state: ClusterState
  /** The timeline of its last checkpoint. */
  readonly timeline: number
  /** Changes of pages are logged so that pg_rewind can find them: one of the two is enough. */
  readonly dataChecksums: boolean
  readonly walLogHints: boolean
  readonly walSegmentBytes: number
  /** The settings that a hot standby must at least have: those of the server that wrote the WAL. */
  readonly required: Readonly<Record<RequiredSetting, number>>
}

/** DBState, in its order. */
const clusterStates = [
  'starting',
  'shut-down',
  'shut-down-in-recovery',
  'shutting-down',
  'in-crash-recovery',
  'in-archive-recovery',
  'in-production',
] as const
export type ClusterState = (typeof clusterStates)[number]

export type RequiredSetting =
  | 'max_connections'
  | 'max_worker_processes'
  | 'max_wal_senders'
  | 'max_prepared_transactions'
  | 'max_locks_per_transaction'

/** In the order of ControlFileData, each an int32 behind wal_log_hints, ending 8 bytes before the float constant. */
const requiredOrder: readonly RequiredSetting[] = [
  'max_connections',
  'max_worker_processes',
  'max_wal_senders',
  'max_prepared_transactions',
  'max_locks_per_transaction',
]
const floatConstant = 1_234_567

/**
 * Reads pg_control without pg_controldata, which not every installation has. The fields after the checkpoint are found from the constant
 * 1234567.0 that the file carries to show its byte order (src/include/catalog/pg_control.h); their order is the same from 13 to 18.
 * Throws `not-found` without the file, `object-damaged` for one that cannot be read.
 */
export async function readControlFile(dataDir: string): Promise<ControlFacts> {
  const path = join(dataDir, 'global', 'pg_control')
  const bytes = await readFile(path)
  const damaged = () =>
    new HoldfastError('object-damaged', {
      message: `${path} is not the control file of a PostgreSQL that this program knows`,
      hint: 'restore the data directory again; it must come from a little-endian machine and version 13 or later',
    })
  if (bytes.length < 512) throw damaged()
  let anchor = -1
  for (let at = 160; at < 400 && anchor < 0; at += 8) if (bytes.readDoubleLE(at) === floatConstant) anchor = at
  if (anchor < 0 || bytes.readUInt32LE(anchor - 4) !== 8 || bytes.readUInt32LE(anchor + 8) !== 8192) throw damaged()
  const firstRequired = anchor - 8 - 4 * requiredOrder.length
  const required = Object.fromEntries(
    requiredOrder.map((name, index) => [name, bytes.readInt32LE(firstRequired + 4 * index)]),
  ) as Record<RequiredSetting, number>
  const state = clusterStates[bytes.readUInt32LE(16)]
  if (state === undefined) throw damaged()
  return {
    systemIdentifier: bytes.readBigUInt64LE(0).toString(),
    state,
    dataChecksums: bytes.readUInt32LE(anchor + 44) !== 0,
    walLogHints: bytes.readUInt8(firstRequired - 4) !== 0,
    timeline: bytes.readUInt32LE(48),
    walSegmentBytes: bytes.readUInt32LE(anchor + 20),
    required,
  }
}

/** Whether the server on a data directory comes up, or has come up, as a standby. */
export async function isStandby(dataDir: string): Promise<boolean> {
  return await access(join(dataDir, 'standby.signal')).then(
    () => true,
    () => false,
  )
}
