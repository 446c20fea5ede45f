import { z } from 'zod'
import { durationText } from '../catalog/index.ts'
import { parseDuration } from '../kernel/index.ts'
import { workerEntry } from '../threads/index.ts'
import { absent, partly, present } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { startHolder } from './holder/start.ts'
import { endMarkedByHand, markedProcesses } from './mark.ts'
import { readDeaths, readEnd } from './process/deaths.ts'
import { inWords } from './process/identity.ts'
import { killSignal, type KillSignal } from './process/signals.ts'
import { lineOf, lineTrace } from './process/successors.ts'
import { findProcesses, processTarget, type ProcessTarget } from './process/target.ts'

const params = z
  .strictObject({
    target: processTarget.describe(
      'Which processes: by `pidFile`, `name` or `command`, by which what comes in their place is found too.',
    ),
    interval: durationText.describe('The time from one kill to the next.').default('10s'),
    signal: killSignal.default('SIGKILL'),
  })
  .refine(({ target }) => target.pid === undefined, {
    path: ['target', 'pid'],
    message: 'what comes in its place has another number: expected pidFile, name or command',
  })

interface Params {
  readonly target: ProcessTarget
  readonly interval: string
  readonly signal: KillSignal
}

const traces = z.strictObject({ lines: z.array(lineTrace) })

const holder = () => workerEntry('process/restart-loop-worker', import.meta.url)

/** A process dies as soon as its supervisor has brought it back. */
export const processRestartLoop = defineFault<Params, z.infer<typeof traces>>({
  kind: 'process.restart-loop',
  description:
    'Ends processes by a signal, and then again and again what comes in their place: what has the same name and was started by the same parent, a supervisor or a master. It does not start them: where nothing brings them back, they die once. A process that kills holds the loop; it ends with the experiment, and at the deadline. Each death is read back (number and start time), and one must have been for the fault to count as injected; the end of the fault brings nothing back.',
  example: { target: { name: 'nginx', choose: 'one' }, interval: '5s' },
  params,
  traces,
  irreversible: true,
  expiry: 'with-holder',
  holder,

  async plan({ target }, context) {
    const { chosen, candidates } = await findProcesses(target, context)
    return { targets: chosen.map(inWords), candidates, traces: { lines: chosen.map(lineOf) } }
  },

  async inject({ target, interval, signal: name }, { lines }, context, signal) {
    const { folder } = context
    const task = { folder, target, signal: name, intervalMs: parseDuration(interval), lines }
    await startHolder(holder(), task, context, signal)
  },

  async look({ lines }, { id, folder }) {
    if ((await markedProcesses(id)).length === 0) {
      const because = await readEnd(folder)
      return because === undefined ? absent : partly(`it has ended by itself: ${because}`)
    }
    const deaths = await readDeaths(folder)
    return deaths.length >= lines.length ? present : partly(`${deaths.length} of ${lines.length} processes have died`)
  },

  async undo() {
    // Who kills has been ended by its mark; what is dead stays dead.
  },

  manualUndo: (_traces, id) => [endMarkedByHand(id)],
})
