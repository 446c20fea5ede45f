import { createInterface } from 'node:readline'
import { messageOf, type Json } from '../../kernel/index.ts'

export interface HolderTask<Task extends object = object> {
  readonly task: Task
  /** After which it ends, in milliseconds. */
  readonly limitMs: number
}

export type HolderAnswer = { readonly say: 'holds'; readonly what: Json } | { readonly say: 'failed'; readonly because: string }

const longestTimerMs = 2 ** 31 - 1

/**
 * The main path of a process that holds a fault: takes its task from its input, begins, says so, and then only lives, until its input ends (whoever
 * injected is gone) or its time is over. Until the task comes it does nothing.
 */
export function hold<Task extends object>(begin: (task: Task) => Promise<Json>): void {
  // Those who asked may be gone before the answer.
  process.stdout.on('error', () => {})
  const lines = createInterface({ input: process.stdin })
  lines.once('close', () => process.exit(0))
  lines.once('line', (line) => {
    const { task, limitMs } = JSON.parse(line) as HolderTask<Task>
    setTimeout(() => process.exit(0), Math.min(limitMs, longestTimerMs))
    void begin(task).then(
      (what) => answer({ say: 'holds', what }),
      (error: unknown) => {
        answer({ say: 'failed', because: messageOf(error) })
        process.exit(1)
      },
    )
  })
}

function answer(message: HolderAnswer): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
