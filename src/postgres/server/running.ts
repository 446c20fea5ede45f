import { readdir, readFile, readlink, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock, systemCode } from '../../kernel/index.ts'

/** A server process that was found running on a data directory, by its postmaster.pid. */
export interface RunningServer {
  readonly dataDir: string
  readonly pid: number
  /** When it started, in seconds since 1970, as it wrote itself. With the pid it names one process over restarts of ours. */
  readonly startedAt: number
  readonly port: number
  /** Absent where it listens on no socket, or while it is only starting. */
  readonly socketDir?: string
  /** The first address of listen_addresses; absent when it listens on none. */
  readonly listenAddress?: string
  /** `starting`, `stopping`, `ready`, `standby`: its own word. */
  readonly status: string
}

/**
 * The server that runs on a data directory, whoever started it; undefined when none does. A postmaster.pid left by a crash, even one whose
 * number another process has by now, is not taken for a server: a postmaster's working directory is its data directory.
 * Lines of the file: pid, data directory, start time, port, socket folder, listen address, shared memory key, status.
 */
export async function findRunningServer(dataDir: string): Promise<RunningServer | undefined> {
  let text: string
  try {
    text = await readFile(join(dataDir, 'postmaster.pid'), 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw error
  }
  const lines = text.split('\n').map((line) => line.trim())
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 0 || !(await isServerOf(pid, dataDir))) return undefined
  const [, , startedAt, port, socketDir, listenAddress, , status] = lines
  return {
    dataDir,
    pid,
    startedAt: Number(startedAt),
    port: Number(port ?? 0),
    ...(socketDir ? { socketDir } : {}),
    ...(listenAddress ? { listenAddress } : {}),
    status: status ?? 'starting',
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}

async function isServerOf(pid: number, dataDir: string): Promise<boolean> {
  if (!isAlive(pid)) return false
  try {
    const [folder, expected] = await Promise.all([readlink(`/proc/${pid}/cwd`), realpath(dataDir)])
    return folder === expected
  } catch (error) {
    // No /proc (macOS), or not ours to look at: then the living pid is the best that can be known. Gone in between: not running.
    return systemCode(error) === 'ENOENT' ? isAlive(pid) && !(await hasProc()) : isAlive(pid)
  }
}

async function hasProc(): Promise<boolean> {
  return await readlink('/proc/self').then(
    () => true,
    () => false,
  )
}

/**
 * Every process that works on a data directory: its server, and children that outlived it, which can still write. Found by their working
 * directory (Linux; elsewhere, or where other users' processes are hidden from us, only the server itself is found).
 */
export async function serverProcesses(dataDir: string): Promise<number[]> {
  const server = await findRunningServer(dataDir)
  const expected = await realpath(dataDir)
  const names = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    names.map(async (name) => {
      const [folder, program] = await Promise.all([
        readlink(`/proc/${name}/cwd`).catch(() => ''),
        readFile(`/proc/${name}/comm`, 'utf8').catch(() => ''),
      ])
      return folder === expected && /^postgres|^postmaster/.test(program) && !(await isZombie(Number(name))) ? [Number(name)] : []
    }),
  )
  return [...new Set([...(server === undefined ? [] : [server.pid]), ...found.flat()])]
}

/** The children of a process (Linux; elsewhere none are found). */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return text.split(' ').filter(Boolean).map(Number)
}

/** Waits until a process is gone; false when it still lives after the time. A zombie counts as gone: its server has ended. */
export async function waitUntilGone(pid: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
  const start = systemClock.monotonicMs()
  while (isAlive(pid) && !(await isZombie(pid))) {
    if (systemClock.monotonicMs() - start > timeoutMs) return false
    await systemClock.sleep(10, signal)
  }
  return true
}

async function isZombie(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The state follows the program's name, which may itself hold brackets and spaces.
  return text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3) === 'Z'
}
