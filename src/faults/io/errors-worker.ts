/** Runs a program some of whose I/O fails until it ends: see holder/hold.ts. */
import { setTimeout as delay } from 'node:timers/promises'
import { HoldfastError, messageOf, systemClock } from '../../kernel/index.ts'
import { hold } from '../holder/hold.ts'
import { traceOf } from '../process/identity.ts'
import { startPreloaded } from '../program/start.ts'
import { fiuEnvironment, switchOff, switchOn, type IoFailure, type Libfiu } from './libfiu.ts'
import { controlled, makeControls, prefixIn, tell } from './remote-control.ts'
import { noteSwitched } from './switched.ts'

type Task = IoFailure & {
  readonly library: Libfiu
  readonly command: string[]
  readonly account?: { readonly uid: number; readonly gid: number }
  /** How long it runs before its I/O fails, and for how long that does; absent: until it ends. */
  readonly afterMs: number
  readonly lastsMs?: number
  /** Where its processes are told to fail. */
  readonly controls: string
  /** Where its output goes, and what is noted. */
  readonly output: string
  readonly folder: string
}

/** Within which the program must listen, on a busy machine. */
const listenMs = 5000
/** How soon what it starts fails, too. */
const lookMs = 100

hold<Task>(async (task) => {
  const { library, command, output, account, controls, afterMs, lastsMs } = task
  await makeControls(controls, account)
  const variables = fiuEnvironment(library, prefixIn(controls))
  const whose = account === undefined ? {} : { account }
  const told = new Set<string>()
  const pid = await startPreloaded({ command, library: library.posix, variables, output, ...whose }, async () => {
    await delay(afterMs)
    await untilTold(task, told)
  })
  void goOn(task, told, lastsMs).catch(async (error: unknown) => {
    await noteSwitched(task.folder, { state: 'failed', because: messageOf(error) }).catch(() => {})
    process.exit(1)
  })
  return pid
})

async function untilTold(task: Task, told: Set<string>): Promise<void> {
  const endMs = systemClock.monotonicMs() + listenMs
  while (!(await tellNew(task, told, switchOn(task)))) {
    if (systemClock.monotonicMs() > endMs)
      throw new HoldfastError('fault-failed', { message: `libfiu in ${task.command[0]} does not listen` })
    await delay(lookMs)
  }
}

async function goOn(task: Task, told: Set<string>, lastsMs = Infinity): Promise<void> {
  const endMs = systemClock.monotonicMs() + lastsMs
  while (systemClock.monotonicMs() < endMs) {
    await delay(Math.min(lookMs, endMs - systemClock.monotonicMs()))
    await tellNew(task, told, switchOn(task))
  }
  // Of what has been forked since, a child of one that was told may fail as well.
  for (const { process: running } of await controlled(task.controls)) await tell(task.controls, running.pid, switchOff(task))
  await noteSwitched(task.folder, { state: 'over' })
}

/** Tells those that were not yet told. Returns whether there were any. */
async function tellNew({ controls, folder }: Task, told: Set<string>, commands: readonly string[]): Promise<boolean> {
  const before = told.size
  for (const { process: running, runs } of await controlled(controls)) {
    const key = `${running.pid} ${running.started} ${runs}`
    if (told.has(key) || !(await tell(controls, running.pid, commands))) continue
    told.add(key)
    await noteSwitched(folder, { state: 'on', process: traceOf(running) })
  }
  return told.size > before
}
