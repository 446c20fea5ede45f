import { spawn } from 'node:child_process'
import { HoldfastError, messageOf } from '../../kernel/index.ts'

/**
 * What a program writes to stdout; its stderr goes to ours. Without a shell. Ends with `command-failed` when it ends with another exit code
 * than 0, with `not-found` when there is no such program. It is ended when nobody reads on.
 */
export async function* commandOutput(
  [program = '', ...args]: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<string | undefined>((resolve, reject) => {
    child.once('error', (error) => {
      const message = `cannot run ${program}: ${messageOf(error)}`
      reject(new HoldfastError('not-found', { message, hint: `check that ${program} is installed and in PATH`, cause: error }))
    })
    child.once('close', (code, endSignal) => {
      if (code === 0) resolve(undefined)
      else resolve(endSignal === null ? `ended with exit code ${code}` : `was ended by ${endSignal}`)
    })
  })
  // Its error is for whoever awaits it, after the output.
  ended.catch(() => {})
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  let whole = false
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>
    const failure = await ended
    signal.throwIfAborted()
    if (failure !== undefined)
      throw new HoldfastError('command-failed', {
        message: `${program} ${failure}: no snapshot was written`,
        hint: 'what it said is above; run it by itself to see more',
        details: { command: [program, ...args] },
      })
    whole = true
  } finally {
    signal.removeEventListener('abort', stop)
    if (!whole) stop()
  }
}
