import { join } from 'node:path'
import { z } from 'zod'
import { blocker, HoldfastError, parseDuration } from '../kernel/index.ts'
import { workerEntry } from '../threads/index.ts'
import { findLibfaketime, removeShared, removeSharedByHand, sharedIsThere } from './clock/libfaketime.ts'
import { absent, partly, present } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { startHolder } from './holder/start.ts'
import { endMarkedByHand, markedProcesses } from './mark.ts'
import { commandParam, programFindings } from './program/command.ts'
import { hasLoaded } from './program/start.ts'

const params = z.strictObject({
  command: commandParam,
  offset: z
    .string()
    .regex(/^[+-](?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/, 'expected a duration with its sign, such as +2h or -5m')
    .describe('How far its clock is ahead (+2h) or behind (-5m) when it starts.'),
  rate: z
    .number()
    .gt(0)
    .max(10_000)
    .describe('How fast its clock goes: 2 is twice as fast as it should, 0.5 half as fast.')
    .default(1),
})

interface Params {
  readonly command: string[]
  readonly offset: string
  readonly rate: number
}

const traces = z.strictObject({ library: z.string() })

const holder = () => workerEntry('clock/skew-worker', import.meta.url)

/** A program whose clock is wrong; never the machine's own. */
export const clockSkew = defineFault<Params, z.infer<typeof traces>>({
  kind: 'clock.skew',
  description:
    'Starts a program whose wall clock is wrong, by libfaketime: the machine’s clock, other processes and the monotonic clock stay as they are. The program, and all that it starts, ends with the fault. It must be linked dynamically to the C library: one that is not (many Go programs) does not count as injected.',
  example: { command: ['/usr/local/bin/token-service', '--port=8081'], offset: '+2h' },
  params,
  traces,
  expiry: 'with-holder',
  holder,

  async preflight({ command }) {
    if (findLibfaketime() === undefined) {
      const hint = 'install libfaketime (Debian, Ubuntu: the package libfaketime)'
      return [blocker('no-libfaketime', 'libfaketime is not installed', hint)]
    }
    return programFindings(command)
  },

  async plan({ command, offset, rate }) {
    const library = findLibfaketime()
    if (library === undefined) throw new HoldfastError('fault-refused', { message: 'libfaketime is not installed' })
    const speed = rate === 1 ? '' : `, at ${rate} times the speed`
    return { targets: [`the clock of ${command.join(' ')} (${offset}${speed})`], traces: { library } }
  },

  async inject({ command, offset, rate }, { library }, context, signal) {
    const offsetMs = parseDuration(offset.slice(1)) * (offset.startsWith('-') ? -1 : 1)
    const task = { id: context.id, library, command, offsetMs, rate, output: join(context.folder, 'output') }
    await startHolder(holder(), task, context, signal)
  },

  async look({ library }, { id }) {
    const running = await markedProcesses(id)
    const skewed = await Promise.all(running.map((pid) => hasLoaded(pid, library)))
    if (skewed.includes(true)) return present
    if (running.length > 0) return partly('nothing that was started has loaded libfaketime')
    return sharedIsThere(id) ? partly('what its processes shared is still there') : absent
  },

  // Its processes have been ended by their mark.
  undo: (_traces, { id }) => removeShared(id),

  manualUndo: (_traces, id) => [endMarkedByHand(id), removeSharedByHand(id)],
})
