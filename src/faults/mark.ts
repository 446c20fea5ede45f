import { endProcesses, processesStartedWith, sessionsStartedWith } from '../kernel/index.ts'

const variable = 'HOLDFAST_FAULT'

/** For the watchdog, which no fault may hit. */
export const watchdogMark: Readonly<Record<string, string>> = { [variable]: 'watchdog' }

/** What every program that a fault starts has in its environment: by it the program is found again when whoever started it is gone. */
export function faultMark(id: string): Record<string, string> {
  return { [variable]: id }
}

/** The pids of what carries the mark of this injection, and of what is in a session that one of these leads. */
export async function markedProcesses(id: string): Promise<number[]> {
  return await sessionsStartedWith((started) => started.has(`${variable}=${id}`))
}

/** The pids of whatever belongs to an injection, or to the watchdog of one. */
export async function allMarkedProcesses(): Promise<number[]> {
  return await processesStartedWith((started) => started.names(variable))
}

/** Nothing of an injection may still be on its way when it is taken back. Without a grace: they hold nothing that needs them to end in order. */
export async function endMarkedProcesses(id: string, signal: AbortSignal): Promise<number> {
  return await endProcesses(() => markedProcesses(id), ['SIGKILL', 'SIGKILL'], 5000, signal)
}

/** The same, for a person: each with its group, where it leads one. */
export function endMarkedByHand(id: string): string {
  return `for p in $(grep -lsz ${variable}=${id} /proc/[0-9]*/environ | cut -d/ -f3); do kill -9 -$p 2>/dev/null || kill -9 $p || [ ! -e /proc/$p ]; done`
}
