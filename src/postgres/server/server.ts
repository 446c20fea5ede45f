import { spawn, type ChildProcess } from 'node:child_process'
import { open, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { HoldfastError, isHoldfastError, systemClock } from '../../kernel/index.ts'
import { openSql } from '../connection/connect.ts'
import { sqlState } from '../connection/errors.ts'
import { serverUrl } from '../connection/location.ts'
import { dataDirectoryVersion, type PostgresInstallation } from '../installation.ts'
import { dropsPrivileges, ownFolder, requireReachable, serverAccount } from './account.ts'
import { cleanEnvironment } from './environment.ts'
import { freePort } from './free-port.ts'
import { initializeDataDirectory, settingValue, type InitializeOptions, type Settings } from './initialize.ts'
import { executablePrograms } from './programs.ts'
import { childrenOf, findRunningServer, isAlive, waitUntilGone, type RunningServer } from './running.ts'
import { removeAdmission, startSettings } from './sandbox.ts'
import { makeSocketFolder, privateSocketFolder, removeSocketFolder } from './socket-folder.ts'
import { tablespaceFolders } from './tablespace-links.ts'
import { endWithUs } from './watcher.ts'

export interface ServerOptions {
  readonly dataDir: string
  readonly installation: PostgresInstallation
  /**
   * `private` (default): a socket in a folder that only the server's account and root may enter; no TCP.
   * `loopback`: that, and 127.0.0.1. `configured`: only what its own configuration says.
   */
  readonly listen?: 'private' | 'loopback' | 'configured'
  /** Default: 5432 on a private socket (which cannot collide), a free one on the loopback. */
  readonly port?: number
  /** Where its private socket lies. Default: a short path that follows from dataDir. */
  readonly socketDir?: string
  /** Given on the server's command line: stronger than its configuration files, for this start only. */
  readonly settings?: Settings
  /**
   * True for a copy of production that is only looked at: it archives nothing, listens on the private socket alone, and lets in whoever
   * reaches it, without a password. False (default): its own pg_hba.conf and settings count.
   */
  readonly sandbox?: boolean
  /**
   * True: `user` is let in over the socket without a password, for this process's user and the server's own, whatever pg_hba.conf says. It is
   * needed for a server that was restored: nobody here knows its passwords.
   */
  readonly admitUser?: boolean
  /** The user of the operating system to run as when we are root. Default `postgres`, else `nobody`. */
  readonly account?: string
  /** The database user in `url`. Default `postgres`. */
  readonly user?: string
  /** Default: beside the data directory, `<dataDir>.log`. Appended to. */
  readonly logFile?: string
}

export interface StartOptions {
  /** True: it goes on when this process ends. False (default): it is stopped at once when this process ends, however that happens. */
  readonly detached?: boolean
}

/** fast: ends sessions, then a checkpoint. smart: waits for sessions. immediate: no checkpoint; the next start recovers from WAL. */
export type StopMode = 'smart' | 'fast' | 'immediate'

/** A data directory of ours and the server on it, whichever process started that. Disposing stops it unless it was started detached. */
export interface PostgresServer extends AsyncDisposable {
  readonly dataDir: string
  readonly installation: PostgresInstallation
  readonly logFile: string
  /** Where to connect, as the user of the options, to the database `postgres`. */
  readonly url: string
  /** initdb. The folder must be empty or absent. */
  initialize(options?: InitializeOptions, signal?: AbortSignal): Promise<void>
  /**
   * Starts it and waits until it takes connections: as long as it lives, so a long recovery is waited for; the signal bounds it, and stops
   * what was started. Already running: returns at once. Throws `postgres-failed` with the end of its log when it ends instead.
   */
  start(options?: StartOptions, signal?: AbortSignal): Promise<RunningServer>
  running(): Promise<RunningServer | undefined>
  /** Stops it and waits until it is gone; not running is fine. Throws `timed-out` after timeoutMs (default 60 s). */
  stop(mode?: StopMode, options?: { readonly timeoutMs?: number }, signal?: AbortSignal): Promise<void>
  /** SIGKILL to the server and all its processes, as a power cut would; waits until they are gone. */
  kill(): Promise<void>
  /** The last lines of its log. */
  logTail(lines?: number): Promise<string>
}

const stopSignals = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const

/**
 * A server on a data directory. Nothing is started. If one runs there already, `url` leads to it.
 * Throws `postgres-failed` when we are root and there is no user to run it as.
 */
export async function createServer(options: ServerOptions): Promise<PostgresServer> {
  const dataDir = resolve(options.dataDir)
  const { installation, listen = 'private', sandbox = false } = options
  const account = await serverAccount(options.account)
  const identity = dropsPrivileges(account) ? { uid: account.uid, gid: account.gid } : {}
  const privateFolder = privateSocketFolder(dataDir)
  const socketDir = options.socketDir ?? privateFolder
  const user = options.user ?? 'postgres'
  const logFile = options.logFile ?? `${dataDir}.log`
  let port = options.port ?? (listen === 'loopback' ? await freePort() : 5432)
  let address = { host: socketDir, port }
  let detached = false
  let releaseWatcher: (() => void) | undefined

  const running = async () => {
    const found = await findRunningServer(dataDir)
    if (found && found.port > 0) {
      const host = found.socketDir ?? (found.listenAddress === '*' ? '127.0.0.1' : found.listenAddress)
      if (host !== undefined) address = { host, port: found.port }
    }
    return found
  }
  const url = () => serverUrl({ ...address, user })
  const logTail = async (lines = 20) =>
    (await readFile(logFile, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-lines).join('\n')

  async function launch(): Promise<{ child: ChildProcess; ended: Promise<string> }> {
    const found = dataDirectoryVersion(dataDir)
    if (found !== installation.version) {
      throw new HoldfastError('postgres-failed', {
        message: `${dataDir} was made by PostgreSQL ${found}; ${installation.binDir} is version ${installation.version}`,
        hint: `install PostgreSQL ${found}: a data directory runs on its own major version only`,
        details: { found, installed: installation.version },
      })
    }
    await requireReachable(join(dataDir, 'PG_VERSION'), account)
    for (const folder of [dataDir, ...(await tablespaceFolders(dataDir, { makeAbsolute: true }))]) {
      await requireReachable(join(folder, 'x'), account)
      const { uid, mode } = await stat(folder)
      // PostgreSQL demands its own folder, 0700 or 0750. A restore by root may have given it another's.
      const closed = (mode & 0o7777) === 0o700 || (mode & 0o7777) === 0o750
      if (!closed || (dropsPrivileges(account) && uid !== account.uid)) await ownFolder(folder, account)
    }
    await makeSocketFolder(privateFolder, account, true)
    if (socketDir !== privateFolder) await makeSocketFolder(socketDir, account, false)
    const own: Record<string, string | number | boolean> = await startSettings({
      dataDir,
      binDir: installation.binDir,
      account,
      folder: privateFolder,
      sandbox,
      admit: options.admitUser === true ? user : undefined,
    })
    if (listen !== 'configured') {
      Object.assign(own, {
        unix_socket_directories: socketDir,
        listen_addresses: listen === 'loopback' && !sandbox ? '127.0.0.1' : '',
        port,
      })
    }
    // Whoever asks for a sandbox does not get less of one.
    const settings = sandbox ? { ...options.settings, ...own } : { ...own, ...options.settings }
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${settingValue(value)}`])
    const program = join(await executablePrograms(installation, account), 'postgres')
    const log = await open(logFile, 'a', 0o600)
    try {
      // A group of its own: Ctrl-C in our terminal is ours to handle, not the server's.
      const child = spawn(program, ['-D', dataDir, ...args], {
        cwd: '/',
        env: cleanEnvironment(),
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
        ...identity,
      })
      const { promise: ended, resolve: end } = Promise.withResolvers<string>()
      child.once('error', (error) => end(error.message))
      child.once('exit', (code, signal) => end(signal ?? `exit code ${code}`))
      child.unref()
      return { child, ended }
    } finally {
      await log.close()
    }
  }

  /** `ended` tells how the process ended; absent for one that is not our child. */
  async function waitUntilReady(pid: number | undefined, ended?: Promise<string>, signal?: AbortSignal): Promise<RunningServer> {
    let reason: string | undefined
    void ended?.then((text) => (reason = text))
    for (;;) {
      signal?.throwIfAborted()
      if (!ended && pid !== undefined && !isAlive(pid)) reason = 'it is gone'
      if (reason !== undefined) {
        throw new HoldfastError('postgres-failed', {
          message: `PostgreSQL on ${dataDir} ended while starting (${reason}): ${lastComplaint(await logTail(40))}`,
          hint: `read its log: ${logFile}`,
          details: { logFile, log: await logTail(40) },
        })
      }
      const found = await running()
      if (found && found.pid === pid && isReady(found) && (await answers(url(), signal))) return found
      await systemClock.sleep(20, signal)
    }
  }

  const server: PostgresServer = {
    dataDir,
    installation,
    logFile,
    get url() {
      return url()
    },
    async initialize(initialize = {}, signal) {
      const binDir = await executablePrograms(installation, account)
      await initializeDataDirectory(binDir, installation.version, dataDir, account, initialize, signal)
    },
    async start(start = {}, signal) {
      signal?.throwIfAborted()
      const already = await running()
      if (already && already.status !== 'stopping') return await waitUntilReady(already.pid, undefined, signal)
      if (already) await waitUntilGone(already.pid, Number.POSITIVE_INFINITY, signal)
      detached = start.detached ?? false
      for (let attempt = 1; ; attempt++) {
        const { child, ended } = await launch()
        try {
          const found = await waitUntilReady(child.pid, ended, signal)
          if (!detached) releaseWatcher = await endWithUs(found.pid, dataDir)
          return found
        } catch (error) {
          if (child.pid !== undefined && isAlive(child.pid)) child.kill('SIGQUIT')
          if (child.pid !== undefined) await ended
          // The free port was taken between its choice and its use.
          const taken = listen === 'loopback' && options.port === undefined && /Address already in use/.test(await logTail(10))
          if (!taken || attempt === 5 || !isHoldfastError(error, 'postgres-failed')) throw error
          port = await freePort()
        }
      }
    },
    running,
    async stop(mode = 'fast', { timeoutMs = 60_000 } = {}, signal) {
      const found = await running()
      if (found) {
        process.kill(found.pid, stopSignals[mode])
        if (!(await waitUntilGone(found.pid, timeoutMs, signal))) {
          throw new HoldfastError('timed-out', {
            message: `PostgreSQL on ${dataDir} (pid ${found.pid}) did not stop within ${timeoutMs} ms`,
            hint: mode === 'smart' ? 'sessions are still open: stop it with mode fast' : `read its log: ${logFile}`,
          })
        }
      }
      releaseWatcher?.()
      await removeSocketFolder(dataDir)
      await removeAdmission(dataDir)
    },
    async kill() {
      const found = await running()
      if (!found) return
      const all = [found.pid, ...(await childrenOf(found.pid))]
      for (const pid of all) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
      for (const pid of all) await waitUntilGone(pid, 30_000)
      releaseWatcher?.()
    },
    logTail,
    async [Symbol.asyncDispose]() {
      if (!detached) await server.stop('fast')
    },
  }
  await running()
  return server
}

function isReady({ status }: RunningServer): boolean {
  return status === 'ready' || status === 'standby'
}

/** Whether a server takes connections at a URL: any answer but "starting up" shows that it does, a refused login too. */
async function answers(url: string, signal?: AbortSignal): Promise<boolean> {
  try {
    await using connection = await openSql(url, { connectTimeoutMs: 5000 }, signal)
    return connection !== undefined
  } catch (error) {
    signal?.throwIfAborted()
    const state = sqlState(error)
    return state !== undefined && !state.startsWith('57P')
  }
}

/** The line of a log that says why it ended. */
function lastComplaint(log: string): string {
  const lines = log.split('\n')
  const fatal = lines.findLast((line) => /\b(FATAL|PANIC|ERROR):/.test(line))
  return (fatal ?? lines.at(-1) ?? 'its log is empty').trim()
}
