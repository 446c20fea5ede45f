/** Runs a program whose clock is wrong until it ends: see holder/hold.ts. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { HoldfastError, runProcess, sendSignal, systemClock } from '../../kernel/index.ts'
import { hold } from '../holder/hold.ts'
import { hasLoaded, makeShared, restartClock, skewedEnvironment } from './libfaketime.ts'

type Task = {
  readonly id: string
  readonly library: string
  readonly command: string[]
  readonly offsetMs: number
  readonly rate: number
  /** Where its output goes. */
  readonly output: string
}

const toleranceMs = 10
/** For how long a program may take to load libfaketime, on a busy machine. */
const loadMs = 5000
const toldBytes = 500

hold<Task>(async (task) => {
  const { id, library, command, output } = task
  const env = { ...process.env, ...skewedEnvironment(library, task, id) }
  await makeShared(id)
  await requireSkewed(env, task)
  await restartClock(id)
  const [program = '', ...args] = command
  const log = openSync(output, 'a', 0o600)
  // In a session of its own, so that all that it starts is found with it.
  const child = spawn(program, args, { env, detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  await once(child, 'spawn')
  const { pid = 0 } = child
  process.once('exit', () => sendSignal(-pid, 'SIGKILL'))
  await untilLoaded(child, pid, library, program)
  if (child.exitCode !== null || child.signalCode !== null) throw endedEarly(program, child, await readFile(output, 'utf8'))
  child.once('exit', () => process.exit(0))
  return pid
})

/** Asks a program that does nothing but tell the time, in milliseconds. */
async function requireSkewed(env: NodeJS.ProcessEnv, { offsetMs, rate }: Task): Promise<void> {
  const earliestMs = systemClock.now().getTime()
  const { stdout, stderr } = await runProcess('date', ['+%s%3N'], { env })
  const latestMs = systemClock.now().getTime()
  const toldMs = Number(stdout) - offsetMs
  const isSkewed = toldMs >= earliestMs - toleranceMs && toldMs <= latestMs + (latestMs - earliestMs) * rate + toleranceMs
  if (isSkewed) return
  throw new HoldfastError('fault-failed', {
    message: `libfaketime does not change what date says: ${(stdout + stderr).trim()}`,
  })
}

/** Returns too when it has ended. The loader (ld.so(8)) loads it before anything of the program runs. */
async function untilLoaded(child: ChildProcess, pid: number, library: string, program: string): Promise<void> {
  const endMs = systemClock.monotonicMs() + loadMs
  while (child.exitCode === null && child.signalCode === null && !(await hasLoaded(pid, library))) {
    if (systemClock.monotonicMs() > endMs) {
      throw new HoldfastError('fault-failed', {
        message: `${program} does not load libfaketime: it is linked statically, or runs with more rights than who started it`,
      })
    }
    await delay(5)
  }
}

function endedEarly(program: string, { exitCode, signalCode }: ChildProcess, output: string): HoldfastError {
  return new HoldfastError('fault-failed', {
    message: `${program} ended at once (${signalCode ?? `exit code ${exitCode}`}): ${output.slice(-toldBytes).trim()}`,
  })
}
