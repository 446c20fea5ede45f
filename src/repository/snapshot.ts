import { HoldfastError, shortId } from '../kernel/index.ts'
import { parseJsonObject, type JsonObject } from './json-object.ts'
import { parseTime } from './tree/time.ts'

/** What a backup did, in restic's counters. Times are RFC 3339. */
export interface SnapshotSummary {
  readonly backup_start: string
  readonly backup_end: string
  readonly files_new: number
  readonly files_changed: number
  readonly files_unmodified: number
  readonly dirs_new: number
  readonly dirs_changed: number
  readonly dirs_unmodified: number
  readonly data_blobs: number
  readonly tree_blobs: number
  readonly data_added: number
  readonly data_added_packed: number
  readonly total_files_processed: number
  readonly total_bytes_processed: number
}

/** The fields of a snapshot that is to be written. */
export interface SnapshotRecord {
  /** RFC 3339 with a zone, as formatTime gives it: when the backup began. */
  readonly time: string
  readonly parent?: string
  /** The id of the root tree. */
  readonly tree: string
  /** Absolute. */
  readonly paths: readonly string[]
  readonly hostname?: string
  readonly username?: string
  readonly uid?: number
  readonly gid?: number
  readonly excludes?: readonly string[]
  readonly tags?: readonly string[]
  /** The snapshot that this one replaces. */
  readonly original?: string
  readonly programVersion?: string
  readonly summary?: SnapshotSummary
}

/** One protected state, as stored. */
export interface Snapshot extends SnapshotRecord {
  /** Lower-case hex SHA-256 of the stored file. */
  readonly id: string
  /** `time` in milliseconds since 1970. */
  readonly timeMs: number
  /** The exact JSON, with fields that we do not know: whoever rewrites a snapshot must keep them. */
  readonly raw: Uint8Array
}

/** restic's fields in Go's order; what is zero or empty is left out where restic does. */
export function encodeSnapshot(record: SnapshotRecord): Uint8Array {
  const { time, parent, tree, paths, hostname, username, uid, gid, excludes, tags, original, programVersion, summary } = record
  const json = {
    time,
    parent: parent || undefined,
    tree,
    paths,
    hostname: hostname || undefined,
    username: username || undefined,
    uid: uid || undefined,
    gid: gid || undefined,
    excludes: excludes?.length ? excludes : undefined,
    tags: tags?.length ? tags : undefined,
    original: original || undefined,
    program_version: programVersion || undefined,
    summary,
  }
  return Buffer.from(JSON.stringify(json))
}

/** What becomes of a snapshot's fields when it is written anew: null takes one out, what is not named stays. */
export interface SnapshotChanges {
  readonly parent?: string | null
  readonly original?: string
  readonly tags?: readonly string[]
  readonly tree?: string
}

/** The JSON of a snapshot with other fields, those that we do not know included. */
export function changeSnapshot(raw: Uint8Array, changes: SnapshotChanges): Uint8Array {
  const fields = JSON.parse(Buffer.from(raw).toString('utf8')) as Record<string, unknown>
  for (const [name, value] of Object.entries(changes) as [string, unknown][]) {
    const empty = value === null || (Array.isArray(value) && value.length === 0)
    fields[name] = empty ? undefined : value
  }
  return Buffer.from(JSON.stringify(fields))
}

/**
 * Whether one is a copy of the other, or was made from the same state in the same way: restic's test, which looks at everything but id,
 * parent and original.
 */
export function describesSameState(a: Snapshot, b: Snapshot): boolean {
  const same = (list: readonly string[] = [], other: readonly string[] = []) =>
    list.length === other.length && list.every((item, at) => item === other[at])
  return (
    a.tree === b.tree &&
    parseTime(a.time) === parseTime(b.time) &&
    (a.hostname ?? '') === (b.hostname ?? '') &&
    (a.username ?? '') === (b.username ?? '') &&
    (a.uid ?? 0) === (b.uid ?? 0) &&
    (a.gid ?? 0) === (b.gid ?? 0) &&
    same(a.paths, b.paths) &&
    same(a.excludes, b.excludes) &&
    same(a.tags, b.tags)
  )
}

const hexId = /^[0-9a-f]{64}$/

/** Throws `object-damaged`, naming the snapshot, when a field that every snapshot has is missing or malformed. */
export function decodeSnapshot(id: string, raw: Uint8Array): Snapshot {
  const damaged = (why: string) =>
    new HoldfastError('object-damaged', { message: `snapshot ${shortId(id)} is not readable: ${why}`, details: { snapshot: id } })
  const fields = parseJsonObject(raw, damaged)
  const { time, tree, paths } = fields
  const ns = typeof time === 'string' ? parseTime(time) : undefined
  if (typeof time !== 'string' || ns === undefined) throw damaged('it has no readable time')
  if (typeof tree !== 'string' || !hexId.test(tree)) throw damaged('it names no tree')
  return {
    id,
    time,
    timeMs: Number(ns / 1_000_000n),
    tree,
    paths: texts(paths),
    raw,
    ...text(fields, 'parent', 'parent'),
    ...text(fields, 'hostname', 'hostname'),
    ...text(fields, 'username', 'username'),
    ...text(fields, 'original', 'original'),
    ...text(fields, 'program_version', 'programVersion'),
    ...(typeof fields.uid === 'number' ? { uid: fields.uid } : {}),
    ...(typeof fields.gid === 'number' ? { gid: fields.gid } : {}),
    ...(Array.isArray(fields.excludes) ? { excludes: texts(fields.excludes) } : {}),
    tags: texts(fields.tags),
    ...(typeof fields.summary === 'object' && fields.summary !== null ? { summary: fields.summary as SnapshotSummary } : {}),
  }
}

function text<Key extends string>(fields: JsonObject, from: string, to: Key): { [K in Key]?: string } {
  const value = fields[from]
  return typeof value === 'string' && value !== '' ? ({ [to]: value } as { [K in Key]?: string }) : {}
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
}
