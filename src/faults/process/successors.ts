import { z } from 'zod'
import { processTrace, stillRunning, traceOf } from './identity.ts'
import { readRunning, type RunningProcess } from './list.ts'

/** A process, and who had started it: what comes in its place has the same parent and the same name. */
export const lineTrace = z.strictObject({ process: processTrace, parent: processTrace.optional() })

export type LineTrace = z.infer<typeof lineTrace>

export function lineOf(found: RunningProcess): LineTrace {
  const parent = readRunning(found.parent)
  return { process: traceOf(found), ...(parent === undefined ? {} : { parent: traceOf(parent) }) }
}

/** Those of `fitting` that are of one of these lines: the process itself, one that its parent has started since, and what such a one has started. */
export function inLine(lines: readonly LineTrace[], fitting: readonly RunningProcess[]): RunningProcess[] {
  const living = lines.filter(({ parent }) => parent !== undefined && stillRunning(parent) !== undefined)
  const isFirst = (found: RunningProcess) =>
    lines.some(({ process }) => stillRunning(process)?.pid === found.pid) ||
    living.some(({ process, parent }) => parent?.pid === found.parent && process.name === found.name)
  const found = new Set(fitting.filter(isFirst).map(({ pid }) => pid))
  for (let before = -1; before !== found.size;) {
    before = found.size
    for (const { pid, parent } of fitting) if (found.has(parent)) found.add(pid)
  }
  return fitting.filter(({ pid }) => found.has(pid))
}
