import { z } from 'zod'
import { blocker, HoldfastError, sendSignal } from '../kernel/index.ts'
import { absent, partly, present, type Sight } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { findFreezer, freeze, groupOf, isFrozen, members, thaw, type Freezer } from './process/freezer.ts'
import { inWords, processTrace, stillRunning, traceOf, type ProcessTrace } from './process/identity.ts'
import { findProcesses, processTarget, type ProcessTarget } from './process/target.ts'

const params = z.strictObject({
  target: processTarget.describe('Which processes.'),
  by: z
    .enum(['freezer', 'signal'])
    .describe('The kernel’s freezer, which the process cannot notice, or SIGSTOP. Without it the freezer, where there is one.')
    .optional(),
})

const traces = z.strictObject({
  processes: z.array(processTrace),
  /** Absent: by SIGSTOP. */
  freezer: z
    .strictObject({
      version: z.union([z.literal(1), z.literal(2)]),
      root: z.string(),
      /** The groups that the processes come from; in each there is one of ours. */
      origins: z.array(z.strictObject({ path: z.string(), pids: z.array(z.int()) })),
    })
    .optional(),
})

type Traces = z.infer<typeof traces>

/** Processes stop where they are: they keep their locks, their connections and their memory, and answer nothing. */
export const processPause = defineFault<{ target: ProcessTarget; by?: 'freezer' | 'signal' | undefined }, Traces>({
  kind: 'process.pause',
  description:
    'Stops processes where they are, by the kernel’s freezer (version 1 or 2 of its control groups) or by SIGSTOP: they keep their locks, connections and memory, and answer nothing, as a virtual machine that is being moved or a long pause of a garbage collector would. A process that has been stopped already is refused. The freezer’s group carries the tag; by SIGSTOP, the process and its start time are all there is to know it by.',
  example: { target: { pidFile: '/run/postgresql/15-main.pid', descendants: true } },
  params,
  traces,
  expiry: 'never',

  async preflight({ by }) {
    if (process.platform !== 'linux') return [blocker('no-proc', 'only Linux shows processes as needed')]
    if (by !== 'freezer' || findFreezer() !== undefined) return []
    return [blocker('no-freezer', 'there is no freezer that this user may use', 'by: signal')]
  },

  async plan({ target, by }, context) {
    const { chosen, candidates } = await findProcesses(target, context)
    const stopped = chosen.find(({ state }) => state === 'T' || state === 't')
    if (stopped !== undefined) {
      throw new HoldfastError('fault-refused', { message: `${inWords(stopped)} has been stopped by somebody else already` })
    }
    const processes = chosen.map(traceOf)
    const freezer = by === 'signal' ? undefined : findFreezer()
    return {
      targets: chosen.map(inWords),
      candidates,
      traces: {
        processes,
        ...(freezer === undefined ? {} : { freezer: { ...freezer, origins: originsOf(processes, freezer) } }),
      },
    }
  },

  async inject(_params, { processes, freezer }, { id }, signal) {
    if (freezer === undefined) for (const trace of processes) tell(trace, 'SIGSTOP')
    else {
      const running = new Set(processes.filter((trace) => stillRunning(trace) !== undefined).map(({ pid }) => pid))
      for (const { path, pids } of freezer.origins)
        await freeze(
          freezer,
          path,
          groupName(id),
          pids.filter((pid) => running.has(pid)),
          signal,
        )
    }
  },

  async look({ processes, freezer }, { id }) {
    if (freezer === undefined) return lookAtSignal(processes)
    const seen = await Promise.all(freezer.origins.map(({ path }) => isFrozen(freezer, path, groupName(id))))
    if (seen.every((frozen) => frozen === undefined)) return absent
    if (!seen.every((frozen) => frozen === true)) return partly('a group of ours is there, and not frozen')
    const held = (await Promise.all(freezer.origins.map(({ path }) => members(freezer, path, groupName(id))))).flat()
    const outside = processes.find((trace) => stillRunning(trace) !== undefined && !held.includes(trace.pid))
    if (held.length === 0) return partly('a group of ours is there, with nothing in it')
    return outside === undefined ? present : partly(`${inWords(outside)} is not in the frozen group`)
  },

  async undo({ processes, freezer }, { id }) {
    if (freezer === undefined) for (const trace of processes) tell(trace, 'SIGCONT')
    else for (const { path } of freezer.origins) await thaw(freezer, path, groupName(id))
  },

  manualUndo({ processes, freezer }, id) {
    if (freezer === undefined) return [`kill -CONT ${processes.map(({ pid }) => pid).join(' ')}`]
    return freezer.origins.flatMap(({ path }) => {
      const origin = `${freezer.root}${path === '/' ? '' : path}`
      const group = `${origin}/${groupName(id)}`
      const order = freezer.version === 1 ? `echo THAWED > ${group}/freezer.state` : `echo 0 > ${group}/cgroup.freeze`
      return [order, `for p in $(cat ${group}/cgroup.procs); do echo $p > ${origin}/cgroup.procs; done`, `rmdir ${group}`]
    })
  },
})

function groupName(id: string): string {
  return `holdfast-${id}`
}

function originsOf(processes: readonly ProcessTrace[], freezer: Freezer): { path: string; pids: number[] }[] {
  const paths = new Set(processes.map(({ pid }) => groupOf(pid, freezer)))
  return [...paths].map((path) => ({
    path,
    pids: processes.filter(({ pid }) => groupOf(pid, freezer) === path).map(({ pid }) => pid),
  }))
}

function lookAtSignal(processes: readonly ProcessTrace[]): Sight {
  const running = processes.map(stillRunning).filter((found) => found !== undefined)
  const stopped = running.filter(({ state }) => state === 'T')
  if (stopped.length === 0) return absent
  const moving = running.find(({ state }) => state !== 'T')
  return moving === undefined ? present : partly(`${inWords(moving)} is not stopped`)
}

/** Only the very process: its number may be another's by now. */
function tell(trace: ProcessTrace, name: NodeJS.Signals): void {
  if (stillRunning(trace) !== undefined) sendSignal(trace.pid, name)
}
