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
 * Starts it in a session of its own, so that all that it starts is found with it; it ends with this process, and this process with it. Throws
 * `fault-failed` when it ends before it has loaded the library, or does not load it.
 */
export async function startPreloaded(program: PreloadedProgram): Promise<ChildProcess & { readonly pid: number }> {
  const { command, env, output, account } = program
  const [name = '', ...args] = command
  const log = openSync(output, 'a', 0o600)
  const child = spawn(name, args, { env, detached: true, stdio: ['ignore', log, log], ...account })
  closeSync(log)
  await once(child, 'spawn')
  const { pid = 0 } = child
  process.once('exit', () => sendSignal(-pid, 'SIGKILL'))
  await untilLoaded(child, pid, program)
  await requireRunning(child, program)
  child.once('exit', () => process.exit(0))
  return Object.assign(child, { pid })
}

/** Throws `fault-failed`, with the end of what it said. */
async function requireRunning({ exitCode, signalCode }: ChildProcess, { command, output }: PreloadedProgram): Promise<void> {
  if (exitCode === null && signalCode === null) return
  const said = (await readFile(output, 'utf8')).slice(-toldBytes).trim()
  throw new HoldfastError('fault-failed', {
    message: `${command[0]} ended at once (${signalCode ?? `exit code ${exitCode}`}): ${said}`,
  })
}

/** Returns too when it has ended. The loader (ld.so(8)) loads it before anything of the program runs. */
async function untilLoaded(child: ChildProcess, pid: number, { command, library }: PreloadedProgram): Promise<void> {
  const endMs = systemClock.monotonicMs() + loadMs
  while (child.exitCode === null && child.signalCode === null && !(await hasLoaded(pid, library))) {
    if (systemClock.monotonicMs() > endMs) {
      throw new HoldfastError('fault-failed', {
        message: `${command[0]} does not load ${basename(library)}: it is linked statically, or runs with more rights than who started it`,
      })
    }
    await delay(5)
  }
}

/** Whether a library has been loaded into a process: not so into one that is linked statically, or that has more rights than who started it. */
export async function hasLoaded(pid: number, path: string): Promise<boolean> {
  return (await readFile(`/proc/${pid}/maps`, 'utf8').catch(() => '')).includes(path)
}
