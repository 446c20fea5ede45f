import { existsSync } from 'node:fs'
import { constants } from 'node:os'

/** What fails, by what a program calls for it, as libfiu names these (its `function_list`). A pattern would match points that damage data, too. */
const points = {
  open: ['posix/io/oc/open'],
  read: ['posix/io/rw/read', 'posix/io/rw/readv'],
  pread: ['posix/io/rw/pread', 'posix/io/rw/preadv'],
  write: ['posix/io/rw/write', 'posix/io/rw/writev'],
  pwrite: ['posix/io/rw/pwrite', 'posix/io/rw/pwritev'],
  fsync: ['posix/io/sync/fsync', 'posix/io/sync/fdatasync'],
  truncate: ['posix/io/rw/truncate', 'posix/io/rw/ftruncate'],
  rename: ['posix/io/dir/rename'],
  unlink: ['posix/io/dir/unlink'],
} as const

export const operations = Object.keys(points) as [Operation, ...Operation[]]
export type Operation = keyof typeof points

export const errors = ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EMFILE'] as const
export type IoError = (typeof errors)[number]

/** Calls that fail, from 0 to 100 of a hundred. */
export interface IoFailure {
  readonly operations: readonly Operation[]
  readonly error: IoError
  readonly percent: number
}

/** Loads first, and brings the remote control. */
const control = 'fiu_run_preload.so'
/** Stands before the C library. */
const posix = 'fiu_posix_preload.so'

export interface Libfiu {
  readonly control: string
  readonly posix: string
}

/** Where distributions put it; undefined where it is not installed. */
export function findLibfiu(): Libfiu | undefined {
  return ['/usr/local/lib/fiu', '/usr/lib64/fiu', '/usr/lib/fiu']
    .map((folder) => ({ control: `${folder}/${control}`, posix: `${folder}/${posix}` }))
    .find((found) => existsSync(found.control) && existsSync(found.posix))
}

/** What a program is to have in its environment (fiu-run(1)); each that is started with it makes its pipes below `prefix`. */
export function fiuEnvironment(library: Libfiu, prefix: string): Record<string, string> {
  return { LD_PRELOAD: `${library.control}:${library.posix}`, FIU_CTRL_FIFO: prefix }
}

/** Commands of the remote control (fiu-ctrl(1)) that switch failures on; said once more, they change nothing. */
export function switchOn({ operations: chosen, error, percent }: IoFailure): string[] {
  const parameters = `probability=${percent / 100},failinfo=${constants.errno[error]}`
  return pointsOf(chosen).map((name) => `enable_random name=${name},${parameters}`)
}

export function switchOff({ operations: chosen }: IoFailure): string[] {
  return pointsOf(chosen).map((name) => `disable name=${name}`)
}

function pointsOf(chosen: readonly Operation[]): string[] {
  return [...new Set(chosen)].flatMap((operation) => points[operation])
}
