import type { Canary } from '../../catalog/index.ts'
import { HoldfastError, runProcess } from '../../kernel/index.ts'
import type { CanaryTarget } from './canary.ts'

/** Rows that a program writes: it is told the run and the row's number, and ends with 0 once that is durable. */
export function commandCanary(
  { write, read, everyMs, timeoutMs }: Extract<Canary, { readonly kind: 'command' }>,
  run: string,
): CanaryTarget {
  const call = async ([program, ...args]: readonly [string, ...string[]], env: Record<string, string>, signal: AbortSignal) => {
    const { exitCode, stdout, stderr } = await runProcess(
      program,
      args,
      { env: { ...process.env, HOLDFAST_CANARY_RUN: run, ...env }, keepBytes: keptBytes },
      signal,
    )
    if (exitCode === 0) return stdout
    throw new HoldfastError('command-failed', { message: `${program} ended with ${exitCode}: ${stderr.trim().slice(0, 200)}` })
  }
  return {
    everyMs,
    prepare: async () => {},
    write: async (seq) => void (await call(write, { HOLDFAST_CANARY_SEQ: String(seq) }, AbortSignal.timeout(timeoutMs))),
    async read(signal) {
      const text = await call(read, {}, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]))
      return text.split('\n').flatMap((line) => (/^\d+$/.test(line.trim()) ? [Number(line)] : []))
    },
    clean: async () => {},
    async [Symbol.asyncDispose]() {},
  }
}

/** The numbers of all rows, one a line. */
const keptBytes = 16 * 1024 * 1024
