import { z } from 'zod'
import { bootIdentity, hostIdentity } from '../../kernel/index.ts'
import { readRunning, type RunningProcess } from './list.ts'

/** Who a process is: a pid alone is used again. */
export const processTrace = z.strictObject({
  pid: z.int(),
  started: z.string(),
  host: z.string(),
  boot: z.string(),
  name: z.string(),
})

export type ProcessTrace = z.infer<typeof processTrace>

export function traceOf({ pid, started, name }: RunningProcess): ProcessTrace {
  return { pid, started, name, host: hostIdentity(), boot: bootIdentity() }
}

/** The very process; undefined when it is gone, whoever has its pid now. */
export function stillRunning({ pid, started, host, boot }: ProcessTrace): RunningProcess | undefined {
  if (host !== hostIdentity() || boot !== bootIdentity()) return undefined
  const found = readRunning(pid)
  return found?.started === started ? found : undefined
}

export function inWords({ pid, name }: { readonly pid: number; readonly name: string }): string {
  return `process ${pid} (${name})`
}
