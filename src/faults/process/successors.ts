import { z } from 'zod'
import { processTrace, stillRunning, traceOf } from './identity.ts'
import { listProcesses, readRunning, type RunningProcess } from './list.ts'

/** A process, and who had started it: what comes in its place has the same parent and the same name. */
export const lineTrace = z.strictObject({ process: processTrace, parent: processTrace.optional() })

export type LineTrace = z.infer<typeof lineTrace>

export function lineOf(found: RunningProcess): LineTrace {
  const parent = readRunning(found.parent)
  return { process: traceOf(found), ...(parent === undefined ? {} : { parent: traceOf(parent) }) }
}

/** The very processes of these lines that still run. */
export function firstOf(lines: readonly LineTrace[]): RunningProcess[] {
  return lines.flatMap(({ process }) => stillRunning(process) ?? [])
}

/** Which processes there are. Their start times alone do not tell who came later: the kernel counts these in ticks of 10 ms. */
export function everybody(): ReadonlySet<string> {
  return new Set(listProcesses().map(keyOf))
}

function keyOf({ pid, started }: RunningProcess): string {
  return `${pid} ${started}`
}

/**
 * Those of `fitting` that have come in the place of the first of these lines: of the same name, started by the same parent, or by what has come in the
 * place of that one.
 *
 * @param before who was there beside the first, such as another worker of the same master
 */
export function successorsOf(
  lines: readonly LineTrace[],
  fitting: readonly RunningProcess[],
  before: ReadonlySet<string>,
): RunningProcess[] {
  const later = fitting.filter((running) => !before.has(keyOf(running)))
  const found = new Set<number>()
  const isOf = (successor: RunningProcess, { process, parent }: LineTrace) => {
    if (parent === undefined || successor.name !== process.name) return false
    if (stillRunning(parent) !== undefined) return successor.parent === parent.pid
    return found.has(successor.parent) && lines.some((line) => line.process.pid === parent.pid)
  }
  for (let size = -1; size !== found.size;) {
    size = found.size
    for (const successor of later) if (lines.some((line) => isOf(successor, line))) found.add(successor.pid)
  }
  return later.filter(({ pid }) => found.has(pid))
}
