import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { absolutePath, sizeText } from '../catalog/index.ts'
import { blocker, HoldfastError, quote, runProcess } from '../kernel/index.ts'
import { absent, partly, present } from './contract.ts'
import { defineFault } from './define-fault.ts'
import { endMarkedByHand, faultMark, markedProcesses } from './mark.ts'
import { bytesOf } from './size.ts'

const workers = z.int().min(1).max(4096)

const params = z
  .strictObject({
    cpu: z
      .strictObject({
        workers: workers.describe('That many, each on a processor.'),
        load: z.int().min(1).max(100).describe('How much of its processor each takes, of a hundred.').default(100),
      })
      .describe('Takes time of processors.')
      .optional(),
    memory: z
      .strictObject({
        workers: workers.describe('That many.').default(1),
        size: sizeText.describe('Each holds and rewrites that much.'),
      })
      .describe('Takes memory.')
      .optional(),
    io: z
      .strictObject({
        workers: workers.describe('That many.').default(1),
        directory: absolutePath.describe('Where they write.'),
        size: sizeText.describe('Each writes and reads that much, again and again.').default('64MiB'),
      })
      .describe('Takes time of a disk.')
      .optional(),
  })
  .refine(({ cpu, memory, io }) => cpu !== undefined || memory !== undefined || io !== undefined, {
    message: 'expected at least one of cpu, memory and io',
  })

type Params = z.infer<typeof params>

const traces = z.strictObject({
  workers: z.int(),
  /** A folder of our own for its files: killed, it leaves some. */
  scratch: absolutePath.optional(),
})

/** A machine that has too much to do. */
export const stress = defineFault<Params, z.infer<typeof traces>>({
  kind: 'stress',
  description:
    'Takes processors, memory or a disk’s time from others, by stress-ng. It ends by itself at the deadline; what it writes is in a folder of its own, named after the injection. Under short memory its processes are ended first.',
  example: { cpu: { workers: 2, load: 80 }, memory: { size: '512MiB' } },
  params,
  traces,
  expiry: 'by-itself',

  async preflight(_params, _context, signal) {
    const found = await runProcess('stress-ng', ['--version'], {}, signal).catch(() => undefined)
    if (found?.exitCode === 0) return []
    return [blocker('no-stress-ng', 'there is no program stress-ng', 'install stress-ng')]
  },

  async plan({ cpu, memory, io }, { id }) {
    const targets = [
      ...(cpu === undefined ? [] : [`${cpu.workers} processors at ${cpu.load} %`]),
      ...(memory === undefined ? [] : [`${memory.workers} × ${memory.size} of memory`]),
      ...(io === undefined ? [] : [`the disk of ${io.directory}`]),
    ]
    return {
      targets,
      traces: {
        workers: (cpu?.workers ?? 0) + (memory?.workers ?? 0) + (io?.workers ?? 0),
        ...(io === undefined ? {} : { scratch: join(io.directory, `.holdfast-stress-${id}`) }),
      },
    }
  },

  async inject(p, { scratch }, { id, deadlineMs, clock, folder }) {
    if (scratch !== undefined) await mkdir(scratch)
    const seconds = Math.max(1, Math.ceil((deadlineMs - clock.monotonicMs()) / 1000))
    const child = spawn(
      'stress-ng',
      [...argumentsOf(p), '--timeout', `${seconds}s`, '--oomable', '--temp-path', scratch ?? folder],
      {
        cwd: '/',
        detached: true,
        stdio: 'ignore',
        env: { ...process.env, ...faultMark(id) },
      },
    )
    await Promise.race([once(child, 'spawn'), failure(once(child, 'error'))])
    child.unref()
  },

  async look({ workers, scratch }, { id }) {
    const running = (await markedProcesses(id)).length
    if (running === 0) return scratch !== undefined && existsSync(scratch) ? partly(`its files are in ${scratch}`) : absent
    return running > workers ? present : partly(`${running} processes run, for ${workers} workers and their parent`)
  },

  async undo({ scratch }) {
    // Its processes have been ended by their mark.
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true })
  },

  manualUndo: ({ scratch }, id) => [endMarkedByHand(id), ...(scratch === undefined ? [] : [`rm -r ${quote(scratch)}`])],
})

async function failure(error: Promise<unknown[]>): Promise<never> {
  const [cause] = await error
  throw new HoldfastError('fault-failed', { message: `stress-ng cannot be run: ${String(cause)}`, cause })
}

function argumentsOf({ cpu, memory, io }: Params): string[] {
  const bytes = (size: string) => String(bytesOf(size))
  return [
    ...(cpu === undefined ? [] : ['--cpu', String(cpu.workers), '--cpu-load', String(cpu.load)]),
    ...(memory === undefined ? [] : ['--vm', String(memory.workers), '--vm-bytes', bytes(memory.size), '--vm-keep']),
    ...(io === undefined ? [] : ['--hdd', String(io.workers), '--hdd-bytes', bytes(io.size)]),
  ]
}
