import { z } from 'zod'
import { sendSignal } from '../kernel/index.ts'
import { absent, partly, present } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { inWords, processTrace, stillRunning, traceOf } from './process/identity.ts'
import { killSignal, type KillSignal } from './process/signals.ts'
import { findProcesses, processTarget, type ProcessTarget } from './process/target.ts'

const params = z.strictObject({
  target: processTarget.describe('Which processes.'),
  signal: killSignal.default('SIGKILL'),
})

const traces = z.strictObject({ processes: z.array(processTrace) })

/** Processes end, once. What starts them again is what the experiment is about. */
export const processKill = defineFault<{ target: ProcessTarget; signal: KillSignal }, z.infer<typeof traces>>({
  kind: 'process.kill',
  description:
    'Ends processes by a signal, once. Nothing starts them again but their supervisor, which is what the experiment is about: the end of the fault changes nothing. A fault counts as injected once the very processes (number and start time) are gone.',
  example: { target: { name: 'postgres', choose: 'one' }, signal: 'SIGKILL' },
  params,
  traces,
  irreversible: true,
  expiry: 'never',

  async plan({ target }, context) {
    const { chosen, candidates } = await findProcesses(target, context)
    return { targets: chosen.map(inWords), candidates, traces: { processes: chosen.map(traceOf) } }
  },

  async inject({ signal }, { processes }) {
    for (const trace of processes) if (stillRunning(trace) !== undefined) sendSignal(trace.pid, signal)
  },

  async look({ processes }) {
    const running = processes.flatMap((trace) => stillRunning(trace) ?? [])
    const [first] = running
    if (first === undefined) return present
    return running.length === processes.length ? absent : partly(`${inWords(first)} is still there`)
  },

  async undo() {
    // What is dead stays dead.
  },

  manualUndo: () => [],
})
