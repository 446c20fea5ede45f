import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { HoldfastError } from '../kernel/index.ts'
import type { GlobalOptions } from './command.ts'
import { createPrinter, type Printer } from './output/printer.ts'

/** What a command gets from the program besides its own options. */
export interface Context {
  readonly globals: GlobalOptions
  readonly print: Printer
  /** Aborts on Ctrl-C and SIGTERM. Every long call takes it. */
  readonly signal: AbortSignal
}

const interruption = new AbortController()

/** One Ctrl-C comes more than once where the terminal sends it and npx, or the process that found the right Node, passes it on. */
const sameSignalMs = 500

/** Turns the first SIGINT or SIGTERM into an abort, so that commands clean up and end with 130. A second one ends the process at once. */
export function listenForInterruption(): void {
  let askedAt: number | undefined
  const onSignal = () => {
    const now = performance.now()
    if (askedAt !== undefined && now - askedAt < sameSignalMs) return
    if (askedAt !== undefined) process.exit(130)
    askedAt = now
    interruption.abort(new HoldfastError('interrupted', { message: 'interrupted' }))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
}

/** Called with `this` or the last argument of a commander action. */
export function contextOf(command: CommandUnknownOpts): Context {
  const globals: GlobalOptions = command.optsWithGlobals()
  return { globals, print: createPrinter(globals.json === true), signal: interruption.signal }
}
