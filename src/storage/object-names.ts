import { HoldfastError } from '../kernel/index.ts'
import type { ObjectKind } from './backend.ts'

/** Kinds whose objects are named by a SHA-256; anything else in their folders is not ours to list. */
const hashNamed: ReadonlySet<ObjectKind> = new Set(['keys', 'locks', 'snapshots', 'index', 'data'])
const hexId = /^[0-9a-f]{64}$/
/** One folder or file name of a Holdfast object: no dot first, so neither '.', '..' nor anything hidden. */
const component = /^[A-Za-z0-9_+=@,][A-Za-z0-9_+=@,.-]*$/
/** What the local backend appends while a file is being written. */
const temporary = /-tmp-[0-9a-z]+$/

/** Whether an object of this kind can have this name. Names may come from other hands: never let one lead out of the repository. */
export function isObjectName(kind: ObjectKind, name: string): boolean {
  if (kind === 'config') return name === ''
  if (hashNamed.has(kind)) return hexId.test(name)
  return !isTemporaryName(name) && name.split('/').every((part) => component.test(part))
}

/** What restic's local backend and ours call a file until it is whole. */
export function isTemporaryName(name: string): boolean {
  return temporary.test(name)
}

/** Throws `internal`: a name that cannot be is a defect of the caller. */
export function assertObjectName(kind: ObjectKind, name: string): void {
  if (isObjectName(kind, name)) return
  throw new HoldfastError('internal', {
    message: `'${name}' cannot be the name of an object in ${kind}`,
    details: { kind, name },
  })
}

/** For messages: `data/3f…`, `config`, `holdfast/wal/…`. */
export function objectLabel(kind: ObjectKind, name: string): string {
  return name === '' ? kind : `${kind}/${name}`
}

export function objectMissing(kind: ObjectKind, name: string, location: string): HoldfastError {
  const label = objectLabel(kind, name)
  return new HoldfastError('object-missing', {
    message: `there is no ${label} in ${location}`,
    details: { object: label, location },
  })
}

/** The bytes of a range that the stored object is too short for are not there: damage, not an end of file. */
export function shortRead(kind: ObjectKind, name: string, sizeBytes: number, wantedEnd: number): HoldfastError {
  const label = objectLabel(kind, name)
  return new HoldfastError('object-damaged', {
    message: `${label} is truncated: it ends at byte ${sizeBytes}, bytes up to ${wantedEnd} were wanted`,
    details: { object: label, sizeBytes, wantedEnd },
  })
}

export function alreadyExists(kind: ObjectKind, name: string): HoldfastError {
  const label = objectLabel(kind, name)
  return new HoldfastError('already-exists', { message: `${label} exists already`, details: { object: label } })
}
