import { createInterface } from 'node:readline'
import { messageOf, type Json } from '../../kernel/index.ts'

export type HolderAnswer = { readonly say: 'holds'; readonly what: Json } | { readonly say: 'failed'; readonly because: string }

/**
 * The main path of a process that holds a fault: takes its task from its input, begins, says so, and then only lives, until its input ends (whoever
 * injected is gone) or its time, the first argument in milliseconds, is over.
 */
export function hold<Task extends object>(begin: (task: Task) => Promise<Json>): void {
  const [limitMs = '0'] = process.argv.slice(2)
  setTimeout(() => process.exit(0), Math.min(Number(limitMs), 2 ** 31 - 1))
  // Those who asked may be gone before the answer.
  process.stdout.on('error', () => {})
  const lines = createInterface({ input: process.stdin })
  lines.once('close', () => process.exit(0))
  lines.once('line', (line) => {
    void begin(JSON.parse(line) as Task).then(
      (what) => answer({ say: 'holds', what }),
      (error: unknown) => {
        answer({ say: 'failed', because: messageOf(error) })
        process.exitCode = 1
        lines.close()
      },
    )
  })
}

function answer(message: HolderAnswer): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
