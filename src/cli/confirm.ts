import { createInterface } from 'node:readline/promises'
import { HoldfastError } from '../kernel/index.ts'

export interface Confirmation {
  /** What must be typed. */
  readonly name: string
  /** What would be done: asked for only where somebody reads it. */
  readonly plan: () => string | Promise<string>
  readonly question: string
  /** What to say where nobody can be asked. */
  readonly nobody: { readonly message: string; readonly hint: string }
}

/** Shows a plan, and wants a name typed. Throws `usage` where nobody can be asked, and `interrupted` when something else was typed. */
export async function confirmByName({ name, plan, question, nobody }: Confirmation, signal: AbortSignal): Promise<void> {
  if (!process.stdin.isTTY) throw new HoldfastError('usage', nobody)
  process.stderr.write(`${await plan()}\n\n`)
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await lines.question(question, { signal })
    if (answer.trim() === name) return
  } finally {
    lines.close()
  }
  throw new HoldfastError('interrupted', { message: 'not confirmed; nothing was done' })
}
