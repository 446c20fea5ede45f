import { hostname } from 'node:os'
import { HoldfastError, shortId, userName } from '../../kernel/index.ts'
import { parseJsonObject } from '../json-object.ts'
import { formatTime, parseTime } from '../tree/time.ts'

/** A lock as it stands in the repository. */
export interface LockInfo {
  readonly id: string
  readonly timeMs: number
  readonly exclusive: boolean
  readonly hostname: string
  readonly username: string
  readonly pid: number
}

/** A lock that was not refreshed for so long belongs to nobody any more: restic's figure. */
export const staleAfterMs = 30 * 60_000

export function encodeLock(exclusive: boolean, nowMs: number): Uint8Array {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  return Buffer.from(
    JSON.stringify({
      time: formatTime(BigInt(Math.round(nowMs)) * 1_000_000n),
      exclusive,
      hostname: hostname(),
      username: userName(),
      pid: process.pid,
      uid: uid > 0 ? uid : undefined,
      gid: gid > 0 ? gid : undefined,
    }),
  )
}

/** Throws `object-damaged`. */
export function decodeLock(id: string, json: Uint8Array): LockInfo {
  const damaged = (why: string) =>
    new HoldfastError('object-damaged', { message: `lock ${shortId(id)} is not readable: ${why}`, details: { lock: id } })
  const { time, exclusive, hostname, username, pid } = parseJsonObject(json, damaged)
  const ns = typeof time === 'string' ? parseTime(time) : undefined
  if (ns === undefined) throw damaged('it has no readable time')
  return {
    id,
    timeMs: Number(ns / 1_000_000n),
    exclusive: exclusive === true,
    hostname: typeof hostname === 'string' ? hostname : '',
    username: typeof username === 'string' ? username : '',
    pid: typeof pid === 'number' ? pid : 0,
  }
}

/** Old, or of a process of this machine that is gone. A stale lock blocks all the same, until it is removed by `unlock`. */
export function isStale(lock: LockInfo, nowMs: number): boolean {
  if (nowMs - lock.timeMs > staleAfterMs) return true
  return lock.hostname === hostname() && lock.pid > 0 && !isRunning(lock.pid)
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
