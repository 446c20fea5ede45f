/** Runs a program whose clock is wrong until it ends: see holder/hold.ts. */
import { HoldfastError, runProcess, systemClock } from '../../kernel/index.ts'
import { hold } from '../holder/hold.ts'
import { startPreloaded } from '../program/start.ts'
import { makeShared, restartClock, skewedEnvironment } from './libfaketime.ts'

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

hold<Task>(async (task) => {
  const { id, library, command, output } = task
  const variables = skewedEnvironment(library, task, id)
  await makeShared(id)
  await requireSkewed({ ...process.env, ...variables }, task)
  await restartClock(id)
  return await startPreloaded({ command, library, variables, output })
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
