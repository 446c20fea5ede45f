import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { HoldfastError, isHoldfastError, systemCode, type Json } from '../../kernel/index.ts'
import { findRunningServer, readControlFile, serverProcesses, type PostgresServer } from '../../postgres/index.ts'
import { done, halfDone, notDone, type ActionContext, type Probe } from '../contract.ts'
import { restoredFacts } from '../restored/server-of.ts'
import { readNote, writeNote } from '../step-notes.ts'

export interface DirectoryFence {
  readonly dataDirectory: string
  readonly systemIdentifier: string | undefined
  readonly mode: 'fast' | 'immediate'
  readonly force: boolean
  readonly withinMs: number
  readonly confirmMs: number
  /** The server on it; the settings are stronger than its configuration. */
  open(settings?: Readonly<Record<string, string>>): Promise<PostgresServer>
}

const note = z.strictObject({ wasRunning: z.boolean(), commandLine: z.string().optional() })
const pollMs = 50

/** Stops the server on a data directory, and confirms that no process works on it, nor comes back. */
export async function fenceDirectory(
  fence: DirectoryFence,
  context: ActionContext,
  key: string,
  signal: AbortSignal,
): Promise<Json> {
  await assertCluster(fence)
  const { dataDirectory } = fence
  const wasRunning = (await serverProcesses(dataDirectory)).length > 0
  // An earlier attempt may have stopped it already; what it was before that is what counts.
  if ((await readNote(context, key, note))?.wasRunning !== true) {
    const commandLine = await readFile(join(dataDirectory, 'postmaster.opts'), 'utf8').catch(ignoreMissing)
    await writeNote(context, key, { wasRunning, ...(commandLine === undefined ? {} : { commandLine }) })
  }
  const deadlineMs = context.clock.monotonicMs() + fence.withinMs
  if (wasRunning) await stop(fence, signal)
  await confirm(fence, deadlineMs, context, signal)
  return await outcome(fence, context, key)
}

/** Only looked at after an attempt: before the first, the time in which it must not come back has not passed. */
export async function probeDirectory(
  fence: DirectoryFence,
  context: ActionContext,
  key: string,
  signal: AbortSignal,
): Promise<Probe> {
  try {
    await assertCluster(fence)
    await confirm(fence, context.clock.monotonicMs(), context, signal)
    return done(await outcome(fence, context, key))
  } catch (error) {
    if (!isHoldfastError(error, 'fence-unconfirmed')) throw error
    return (await readNote(context, key, note)) === undefined ? notDone : halfDone
  }
}

/** Starts it again as it was started, if it was running. */
export async function unfenceDirectory(
  fence: DirectoryFence,
  context: ActionContext,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  const before = await readNote(context, key, note)
  if (before?.wasRunning !== true) return
  const server = await fence.open(settingsOf(before.commandLine ?? ''))
  await server.start({ detached: true }, signal)
}

/** Throws `identity-mismatch` unless the data directory is of the cluster that is meant. Read from its files: a frozen server answers nothing. */
export async function assertCluster({
  dataDirectory,
  systemIdentifier,
}: Pick<DirectoryFence, 'dataDirectory' | 'systemIdentifier'>): Promise<string> {
  const found = (await readControlFile(dataDirectory)).systemIdentifier
  const expected = systemIdentifier ?? (await restoredFacts(dataDirectory))?.systemIdentifier ?? found
  if (found === expected) return found
  throw new HoldfastError('identity-mismatch', {
    message: `${dataDirectory} is of the cluster ${found}, and ${expected} is to be fenced`,
    hint: 'look which server this is; nothing was done to it',
    details: { found, expected },
  })
}

async function stop(fence: DirectoryFence, signal: AbortSignal): Promise<void> {
  const server = await fence.open()
  try {
    await server.stop(fence.mode, { timeoutMs: fence.withinMs }, signal)
  } catch (error) {
    if (!isHoldfastError(error, 'timed-out') || signal.aborted) throw error
  }
  if (!fence.force) return
  await server.kill()
  for (const pid of await serverProcesses(fence.dataDirectory)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if (systemCode(error) !== 'ESRCH') throw error
    }
  }
}

/** No process for the whole of confirmMs, waited for until the deadline (monotonic). Throws `fence-unconfirmed`. */
async function confirm(
  { dataDirectory, confirmMs }: DirectoryFence,
  deadlineMs: number,
  { clock }: ActionContext,
  signal: AbortSignal,
): Promise<void> {
  for (let quietSinceMs = clock.monotonicMs(); ;) {
    const left = await serverProcesses(dataDirectory)
    const nowMs = clock.monotonicMs()
    if (left.length > 0) quietSinceMs = nowMs
    else if (nowMs - quietSinceMs >= confirmMs) return
    if (left.length > 0 && nowMs >= deadlineMs) throw unconfirmed(dataDirectory, left, await findRunningServer(dataDirectory))
    await clock.sleep(pollMs, signal)
  }
}

async function outcome(fence: DirectoryFence, context: ActionContext, key: string): Promise<Json> {
  const before = await readNote(context, key, note)
  return {
    fenced: true,
    wasRunning: before?.wasRunning ?? false,
    systemIdentifier: (await readControlFile(fence.dataDirectory)).systemIdentifier,
    confirmedBy: 'no process works on the data directory',
  }
}

/** The settings of a command line as postmaster.opts keeps it: a program, then arguments in double quotes. */
export function settingsOf(commandLine: string): Record<string, string> {
  const args = [...commandLine.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, quoted = '']) => quoted.replaceAll(/\\(.)/g, '$1'))
  const settings: Record<string, string> = {}
  const short: Readonly<Record<string, string>> = { '-p': 'port', '-k': 'unix_socket_directories', '-h': 'listen_addresses' }
  for (const [index, arg] of args.entries()) {
    const next = args[index + 1] ?? ''
    const name = short[arg]
    if (name !== undefined) settings[name] = next
    const [, setting, value] = /^([\w.-]+)=([\s\S]*)$/.exec(arg === '-c' ? next : arg.startsWith('--') ? arg.slice(2) : '') ?? []
    if (setting !== undefined && value !== undefined) settings[setting.replaceAll('-', '_')] = value
  }
  return settings
}

function unconfirmed(
  dataDirectory: string,
  pids: readonly number[],
  server: { readonly pid: number } | undefined,
): HoldfastError {
  const who = server === undefined ? 'processes that outlived the server' : `the server (process ${server.pid})`
  return new HoldfastError('fence-unconfirmed', {
    message: `${who} on ${dataDirectory} was told to stop and is still there: it may still take writes, or take them again later`,
    hint: 'end it, or cut its machine off, before another server takes writes; `force: true` ends it with SIGKILL',
    details: { dataDirectory, pids: [...pids] },
  })
}

function ignoreMissing(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error
}
