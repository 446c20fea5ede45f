import type { ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { HoldfastError, sendSignal, systemClock } from '../../kernel/index.ts'
import { startLogged, tailOf, type LoggedProgram } from './logged.ts'

/** A program to be started by a holder, with a library that changes what the C library does. */
export interface PreloadedProgram extends LoggedProgram {
  /** Its path; `variables` have it in LD_PRELOAD. */
  readonly library: string
}

/** For how long a program may take to load a library, on a busy machine. */
const loadMs = 5000

/**
 * Starts it in a session of its own, so that all that it starts is found with it, and returns its pid once it has loaded the library and `begin`, if
 * any, is done. From then on this process ends with it, and it always ends with this process. Throws `fault-failed`, with the end of what it said, when
 * it ends before, or does not load the library.
 */
export async function startPreloaded(program: PreloadedProgram, begin = async () => {}): Promise<number> {
  const { child, ended } = await startLogged(program)
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

async function endOf({ exitCode, signalCode }: ChildProcess, program: PreloadedProgram): Promise<HoldfastError> {
  return new HoldfastError('fault-failed', {
    message: `${program.command[0]} ended at once (${signalCode ?? `exit code ${exitCode}`}): ${await tailOf(program)}`,
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
