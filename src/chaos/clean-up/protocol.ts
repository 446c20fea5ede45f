import type { Readable, Writable } from 'node:stream'
import { createInterface } from 'node:readline'
import type { FaultRecord } from './record.ts'

/** What whoever injects tells the watchdog, a line of JSON each. The end of the stream, or silence for longer than the lease, is a lost lease. */
export type ToWatchdog =
  | { readonly say: 'guard'; readonly path: string; readonly record: FaultRecord }
  | { readonly say: 'release'; readonly id: string }
  | { readonly say: 'beat' }

/** `cleared`: it took the fault back by itself. */
export type FromWatchdog =
  | { readonly say: 'ready' }
  | { readonly say: 'guarding' | 'released' | 'cleared'; readonly id: string }
  | { readonly say: 'refused'; readonly id: string; readonly because: string }

export function sendLine(stream: Writable, message: ToWatchdog | FromWatchdog): void {
  stream.write(`${JSON.stringify(message)}\n`)
}

/** Both ends are ours and of one version: what comes is what was sent. */
export async function* readLines<Message extends ToWatchdog | FromWatchdog>(stream: Readable): AsyncGenerator<Message> {
  for await (const line of createInterface({ input: stream })) yield JSON.parse(line) as Message
}
