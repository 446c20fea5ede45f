/** The folders of a repository: restic's own, and Holdfast's beside them, which restic ignores. */
export type ObjectKind =
  | 'config'
  | 'keys'
  | 'locks'
  | 'snapshots'
  | 'index'
  | 'data'
  | 'holdfast/wal'
  | 'holdfast/ledger'
  | 'holdfast/catalog'
  | 'holdfast/observations'
  | 'holdfast/claims'

export interface ObjectInfo {
  readonly name: string
  readonly sizeBytes: number
}

export interface GetOptions {
  readonly range?: { readonly offset: number; readonly length: number }
  /**
   * Memory that the answer may lie in, from its beginning: who reads much reads into the same memory again and again, as making it takes
   * longer than reading. A backend may answer with memory of its own, and does when this is too small.
   */
  readonly into?: Uint8Array
  readonly signal?: AbortSignal
}

export interface PutOptions {
  readonly ifAbsent?: boolean
  readonly signal?: AbortSignal
}

/** A file of a write that is under way, or whose writer was killed. `name` is a path in the repository, for people and for removeLeftover. */
export interface Leftover {
  readonly name: string
  readonly sizeBytes: number
  /** Since it was last written to. */
  readonly ageMs: number
}

/** Nothing at all, an empty folder or bucket, or something: a repository or anything else. */
export type Occupancy = 'missing' | 'empty' | 'occupied'

/**
 * Where a repository's objects live. Names are write-once. An object is named by its kind and its name; a backend maps that to a path
 * (the local one fans `data` out into 256 folders, as restic does). The name of `config` is ''. Names under `holdfast/…` may contain '/'.
 *
 * list      every object of a kind, in any order; a kind whose folder is missing is empty. Left-over temporary files are not listed.
 * stat      undefined when there is no such object.
 * get       the whole object or the range; a short read is an error, never a short result. `object-missing` when there is none.
 * put       durable when it returns: after a crash the object is whole or absent, never partial.
 *           With ifAbsent, exactly one of several writers succeeds; the others get `already-exists`.
 *           `disk-full` when there is no room; nothing is left behind then.
 * delete    deleting what is absent succeeds. Durable when it returns.
 * leftovers what was not finished writing, be it that it is being written now; absent where nothing is ever left.
 * removeLeftover  fails the write that is under way, if there is one, and harms nothing else. What is not there is not removed.
 *
 * Errors that may pass are marked `retryable`; callers never retry by themselves.
 */
export interface Backend extends AsyncDisposable {
  /** For messages: a path or URL without credentials. */
  readonly location: string
  /** What is at the location, for better messages and for refusing to make a repository where one cannot be: absent from backends that cannot tell. */
  occupancy?(signal?: AbortSignal): Promise<Occupancy>
  /** Makes what a new repository needs beside its objects, such as folders. Absent where nothing is needed. */
  prepare?(signal?: AbortSignal): Promise<void>
  list(kind: ObjectKind, prefix?: string, signal?: AbortSignal): AsyncIterable<ObjectInfo>
  stat(kind: ObjectKind, name: string, signal?: AbortSignal): Promise<ObjectInfo | undefined>
  get(kind: ObjectKind, name: string, options?: GetOptions): Promise<Uint8Array>
  /** `bytes` may come in pieces, which are written one after the other without joining them. */
  put(kind: ObjectKind, name: string, bytes: Uint8Array | readonly Uint8Array[], options?: PutOptions): Promise<void>
  delete(kind: ObjectKind, name: string, signal?: AbortSignal): Promise<void>
  leftovers?(signal?: AbortSignal): AsyncIterable<Leftover>
  removeLeftover?(name: string, signal?: AbortSignal): Promise<void>
}
