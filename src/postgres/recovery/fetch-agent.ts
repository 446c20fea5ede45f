import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HoldfastError, isHoldfastError, messageOf, randomHex, systemClock } from '../../kernel/index.ts'
import { parseWalFileName, walFileName } from '../lsn.ts'
import type { WalArchive } from '../wal/contract.ts'
import { fetchWalFile } from './fetch.ts'
import { giveToOwner } from './settings-file.ts'

export interface FetchAgent extends AsyncDisposable {
  /** The unix socket where it is asked: one line with a file's name, answered by `ready`, `absent` or `failed <why>`. */
  readonly socketPath: string
}

interface Upcoming {
  readonly timeline: number
  readonly segment: bigint
  readonly segmentBytes: number
}

/** Segments put ready before they are asked for. */
const ahead = 4
const lookIntervalMs = 25
const attempts = 4
/** sockaddr_un.sun_path is 104 bytes on macOS, 108 on Linux. */
const maxSocketPathBytes = 100

/**
 * Serves a recovering server from this process, which has the repository open: puts files into `spool`, which restore_command moves from
 * there, and keeps the next few segments ready. A file appears in the spool whole or not at all.
 */
export async function startFetchAgent(
  { archive, dataDir, untilDamage }: { readonly archive: WalArchive; readonly dataDir: string; readonly untilDamage?: boolean },
  folder: string,
  spool: string,
): Promise<FetchAgent> {
  let next: Upcoming | undefined
  let looking = false
  const inFlight = new Map<string, Promise<'ready' | 'absent'>>()
  const stop = new AbortController()

  async function fetch(name: string): Promise<'ready' | 'absent'> {
    for (let attempt = 1; ; attempt++) {
      try {
        const bytes = await fetchWalFile(archive, name, stop.signal, { untilDamage })
        if (!bytes) return 'absent'
        const temporary = join(spool, `.${name}-${randomHex(4)}`)
        await writeFile(temporary, bytes, { mode: 0o600 })
        await giveToOwner(dataDir, temporary)
        await rename(temporary, join(spool, name))
        return 'ready'
      } catch (error) {
        if (!isHoldfastError(error) || !error.retryable || attempt === attempts) throw error
        await systemClock.sleep(200 * attempt, stop.signal)
      }
    }
  }

  function fetchOnce(name: string): Promise<'ready' | 'absent'> {
    const running = inFlight.get(name) ?? fetch(name).finally(() => inFlight.delete(name))
    inFlight.set(name, running)
    return running
  }

  /** Fills the spool up again. A failure here is told when the segment is asked for. */
  async function lookAhead(): Promise<void> {
    if (looking || !next) return
    looking = true
    try {
      const ready = (await readdir(spool)).filter((name) => !name.startsWith('.')).length
      for (let count = ready; count < ahead && next && !stop.signal.aborted; count++) {
        const { timeline, segment, segmentBytes }: Upcoming = next
        const answer = await fetchOnce(walFileName(timeline, segment, segmentBytes))
        next = answer === 'ready' ? { timeline, segment: segment + 1n, segmentBytes } : undefined
      }
    } catch {
      next = undefined
    } finally {
      looking = false
    }
  }

  async function answer(name: string): Promise<string> {
    try {
      if (!/^[0-9A-Za-z._]+$/.test(name)) throw new HoldfastError('usage', { message: 'this is not a WAL file name' })
      const result = await fetchOnce(name)
      const segmentBytes = await archive.segmentBytes(stop.signal)
      const parsed = segmentBytes === undefined ? undefined : parseWalFileName(name, segmentBytes)
      if (result === 'ready' && parsed && segmentBytes !== undefined) {
        next = { timeline: parsed.timeline, segment: parsed.segment + 1n, segmentBytes }
        void lookAhead()
      }
      return result
    } catch (error) {
      return `failed ${messageOf(error).replaceAll('\n', ' ')}`
    }
  }

  const own = join(folder, 'agent.sock')
  const privateFolder =
    Buffer.byteLength(own) <= maxSocketPathBytes ? undefined : await mkdtemp(join(tmpdir(), 'holdfast-fetch-'))
  if (privateFolder !== undefined) await giveToOwner(dataDir, privateFolder)
  const socketPath = privateFolder === undefined ? own : join(privateFolder, 'agent.sock')
  await rm(socketPath, { force: true })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    let asked = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      asked += text
      const end = asked.indexOf('\n')
      if (end < 0) return
      void answer(asked.slice(0, end)).then((line) => socket.end(`${line}\n`))
    })
  })
  await listen(server, socketPath)
  await giveToOwner(dataDir, socketPath)
  const timer = setInterval(() => void lookAhead(), lookIntervalMs)
  timer.unref()
  return {
    socketPath,
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      stop.abort(new HoldfastError('interrupted', { message: 'the recovery has ended' }))
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
      await Promise.allSettled(inFlight.values())
      if (privateFolder !== undefined) await rm(privateFolder, { recursive: true, force: true })
    },
  }
}

async function listen(server: Server, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(path, resolve)
  await promise
  server.off('error', reject)
}
