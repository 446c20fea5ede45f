import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { HoldfastError, sendSignal, systemClock } from '../../kernel/index.ts'

/** A program to be started by a holder, with a library that changes what the C library does. */
export interface PreloadedProgram {
  readonly command: readonly string[]
  /** Its path; `env` has it in LD_PRELOAD. */
  readonly library: string
  readonly env: NodeJS.ProcessEnv
  /** Where its output goes. */
  readonly output: string
  /** Whose rights it has. Default: those of this process. */
  readonly account?: { readonly uid: number; readonly gid: number }
}

/** For how long a program may take to load a library, on a busy machine. */
const loadMs = 5000
const toldBytes = 500

/**
 * Starts it in a session of its own, so that all that it starts is found with it, and returns its pid once it has loaded the library and `begin`, if
 * any, is done. From then on this process ends with it, and it always ends with this process. Throws `fault-failed`, with the end of what it said, when
 * it ends before, or does not load the library.
 */
export async function startPreloaded(program: PreloadedProgram, begin = async () => {}): Promise<number> {
  const { command, env, output, account } = program
  const [name = '', ...args] = command
  const log = openSync(output, 'a', 0o600)
  const child = spawn(name, args, { env, detached: true, stdio: ['ignore', log, log], ...account })
  closeSync(log)
  const ended = once(child, 'exit')
  // One that cannot be started says so below.
  ended.catch(() => {})
  await once(child, 'spawn')
  const { pid = 0 } = child
  process.once('exit', () => sendSignal(-pid, 'SIGKILL'))
  const stop = new AbortController()
  const begun = untilLoaded(pid, program, stop.signal).then(begin)
  const endedEarly = async () => {
    await ended
    throw await endOf(child, program)
  }
  try {
    await Promise.race([begun, endedEarly()])
  } finally {
    stop.abort()
  }
  void ended.then(() => process.exit(0))
  return pid
}

async function endOf({ exitCode, signalCode }: ChildProcess, { command, output }: PreloadedProgram): Promise<HoldfastError> {
  const said = (await readFile(output, 'utf8')).slice(-toldBytes).trim()
  return new HoldfastError('fault-failed', {
    message: `${command[0]} ended at once (${signalCode ?? `exit code ${exitCode}`}): ${said}`,
  })
}

/** The loader (ld.so(8)) loads it before anything of the program runs. */
async function untilLoaded(pid: number, { command, library }: PreloadedProgram, signal: AbortSignal): Promise<void> {
  const endMs = systemClock.monotonicMs() + loadMs
  while (!(await hasLoaded(pid, library))) {
    if (systemClock.monotonicMs() > endMs) {
      throw new HoldfastError('fault-failed', {
        message: `${command[0]} does not load ${basename(library)}: it is linked statically, or runs with more rights than who started it`,
      })
    }
    await delay(5, undefined, { signal })
  }
}

/** Whether a library has been loaded into a process: not so into one that is linked statically, or that has more rights than who started it. */
export async function hasLoaded(pid: number, path: string): Promise<boolean> {
  return (await readFile(`/proc/${pid}/maps`, 'utf8').catch(() => '')).includes(path)
}
