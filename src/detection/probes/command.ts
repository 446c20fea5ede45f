import { messageOf, runProcess } from '../../kernel/index.ts'

/** Well when it ends with 0. What it prints may be anything, and is not passed on. Gives why it is not well. */
export async function lookAtCommand(
  [program, ...args]: readonly [string, ...string[]],
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const { exitCode, signal: endedBy } = await runProcess(program, args, { keepBytes: 1024 }, signal)
    if (endedBy !== undefined) return `was ended by ${endedBy}`
    return exitCode === 0 ? undefined : `ended with exit code ${exitCode}`
  } catch (error) {
    signal.throwIfAborted()
    return messageOf(error)
  }
}
