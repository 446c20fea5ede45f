import { getSystemErrorName } from 'node:util'
import { addressing, HoldfastError, nodeFfi, type Ffi } from '../kernel/index.ts'

/**
 * The system calls that Node's fs does not have, all on a path of bytes and none following a symbolic link in its last component:
 * times in nanoseconds (fs.utimes takes float seconds and loses the last 2–3 digits), extended attributes, device nodes.
 * Failures are Node-like errors with a `code`, `syscall` and `path`.
 */
export interface Posix {
  setTimes(path: Buffer, times: { readonly atimeNs: bigint; readonly mtimeNs: bigint }): void
  setFileTimes(descriptor: number, times: { readonly atimeNs: bigint; readonly mtimeNs: bigint }): void
  /** Names in the order the file system gives them. Empty where it has no attributes. */
  listAttributes(path: Buffer): Buffer[]
  getAttribute(path: Buffer, name: Buffer): Buffer
  setAttribute(path: Buffer, name: Buffer, value: Buffer): void
  /** `mode` with the type bits of stat (S_IFCHR, S_IFBLK, S_IFIFO); `device` as in st_rdev. */
  makeNode(path: Buffer, mode: number, device: bigint): void
}

let loaded: Posix | undefined
let isLoaded = false

/**
 * Calls libc through node:ffi. Undefined where that is not possible (not Linux, a Node built without it, a permission model that forbids
 * it): callers then do what fs can and say what is lost.
 */
export function loadPosix(): Posix | undefined {
  if (!isLoaded) loaded = load()
  isLoaded = true
  return loaded
}

function load(): Posix | undefined {
  if (process.platform !== 'linux') return undefined
  const ffi = nodeFfi()
  if (ffi === undefined) return undefined
  try {
    return bind(ffi)
  } catch {
    // A libc without one of these names. Nothing was called yet.
    return undefined
  }
}

const currentDirectory = -100
const noFollow = 0x100
const maxAttributeBytes = 64 * 1024

function bind(ffi: Ffi): Posix {
  const { functions: libc } = ffi.dlopen(null, {
    __errno_location: { arguments: [], return: 'pointer' },
    utimensat: { arguments: ['i32', 'pointer', 'pointer', 'i32'], return: 'i32' },
    futimens: { arguments: ['i32', 'pointer'], return: 'i32' },
    llistxattr: { arguments: ['pointer', 'pointer', 'u64'], return: 'i64' },
    lgetxattr: { arguments: ['pointer', 'pointer', 'pointer', 'u64'], return: 'i64' },
    lsetxattr: { arguments: ['pointer', 'pointer', 'pointer', 'u64', 'i32'], return: 'i32' },
    mknod: { arguments: ['pointer', 'u32', 'u64'], return: 'i32' },
  })
  const lastErrno = () => ffi.getInt32(libc['__errno_location'](), 0)
  /** For what calls give back; it is copied out at once. */
  const scratch = Buffer.alloc(maxAttributeBytes)
  const address = addressing(ffi)
  /** `address` wants memory of at least one byte. */
  const orOneByte = (bytes: Buffer) => (bytes.length === 0 ? Buffer.alloc(1) : bytes)

  function check(result: number | bigint, syscall: string, path?: Buffer): number {
    if (result >= 0) return Number(result)
    const errno = lastErrno()
    const code = getSystemErrorName(-errno)
    const named = path && { path: path.toString() }
    throw Object.assign(new Error(`${code}: ${syscall}${named === undefined ? '' : ` '${named.path}'`}`), {
      code,
      errno: -errno,
      syscall,
      ...named,
    })
  }
  /** Written anew for each call. */
  const times = new BigInt64Array(new ArrayBuffer(64), 0, 4)
  const timesAt = ffi.getRawPointer(times)
  const setTimespecs = (atimeNs: bigint, mtimeNs: bigint) => times.set([...timespec(atimeNs), ...timespec(mtimeNs)])

  return {
    setTimes(path, { atimeNs, mtimeNs }) {
      setTimespecs(atimeNs, mtimeNs)
      const name = terminated(path)
      check(libc.utimensat(currentDirectory, address(name), timesAt, noFollow), 'utimensat', path)
    },
    setFileTimes(descriptor, { atimeNs, mtimeNs }) {
      setTimespecs(atimeNs, mtimeNs)
      check(libc.futimens(descriptor, timesAt), 'futimens')
    },
    listAttributes(path) {
      const name = terminated(path)
      const length = Number(libc.llistxattr(address(name), address(scratch), BigInt(scratch.length)))
      if (length < 0 && getSystemErrorName(-lastErrno()) === 'ENOTSUP') return []
      check(length, 'llistxattr', path)
      return splitTerminated(scratch.subarray(0, length))
    },
    getAttribute(path, attribute) {
      const [name, key] = [terminated(path), terminated(attribute)]
      const result = libc.lgetxattr(address(name), address(key), address(scratch), BigInt(scratch.length))
      return Buffer.from(scratch.subarray(0, check(result, 'lgetxattr', path)))
    },
    setAttribute(path, attribute, value) {
      const [name, key, memory] = [terminated(path), terminated(attribute), orOneByte(value)]
      check(libc.lsetxattr(address(name), address(key), address(memory), BigInt(value.length), 0), 'lsetxattr', path)
    },
    makeNode(path, mode, device) {
      const name = terminated(path)
      check(libc.mknod(address(name), mode, device), 'mknod', path)
    },
  }
}

/** Seconds and nanoseconds, the latter never negative. */
function timespec(ns: bigint): [bigint, bigint] {
  const billion = 1_000_000_000n
  const rest = ((ns % billion) + billion) % billion
  return [(ns - rest) / billion, rest]
}

function terminated(bytes: Buffer): Buffer {
  if (bytes.includes(0)) throw new HoldfastError('usage', { message: `a name with a zero byte: '${bytes.toString()}'` })
  return Buffer.concat([bytes, Buffer.alloc(1)])
}

function splitTerminated(list: Buffer): Buffer[] {
  const names: Buffer[] = []
  for (let start = 0; start < list.length;) {
    const end = list.indexOf(0, start)
    names.push(Buffer.from(list.subarray(start, end)))
    start = end + 1
  }
  return names
}
