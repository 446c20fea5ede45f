import { readFileSync } from 'node:fs'
import { CommanderError } from '@commander-js/extra-typings'
import { exitCodes, HoldfastError, isHoldfastError, messageOf, onNotice, systemCode, type ExitCode } from '../kernel/index.ts'
import { listenForInterruption } from './context.ts'
import { createPrinter } from './output/printer.ts'
import { createProgram } from './program.ts'
import { throwUsageErrors } from './usage-errors.ts'

/** Runs one command line and gives its exit code. The one place where errors become exit codes. */
export async function run(argv: readonly string[]): Promise<ExitCode> {
  listenForInterruption()
  // A reader that went away (`holdfast ls | head`) is not a failure.
  process.stdout.on('error', (error) => process.exit(systemCode(error) === 'EPIPE' ? 0 : 1))
  const json = argv.includes('--json')
  // Nor is a terminal that went away: what is being done matters more than who watches.
  process.stderr.on('error', () => {})
  const program = await createProgram(version(), argv)
  throwUsageErrors(program, json)
  onNotice((text) => createPrinter(json).note(`note: ${text}`))
  try {
    await program.parseAsync(argv, { from: 'user' })
    return (process.exitCode as ExitCode | undefined) ?? exitCodes.done
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
    const known = asHoldfastError(error)
    createPrinter(json).error(known)
    if (known.code === 'internal' && process.env.HOLDFAST_DEBUG !== undefined) console.error(error)
    return known.exitCode
  }
}

function asHoldfastError(error: unknown): HoldfastError {
  if (isHoldfastError(error)) return error
  // Clean-up that failed after the failure that matters, as when storage dies under a lock.
  if (error instanceof SuppressedError) return asHoldfastError(error.suppressed)
  const code = systemCode(error)
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new HoldfastError('permission-denied', {
      message: messageOf(error),
      cause: error,
      hint: 'run as a user that may read and write it',
    })
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new HoldfastError('disk-full', { message: messageOf(error), cause: error, hint: 'free space and run it again' })
  if (code === 'ENOENT') return new HoldfastError('not-found', { message: messageOf(error), cause: error })
  // A system call that failed on this machine is no defect in Holdfast.
  if (error instanceof Error && 'syscall' in error && code !== undefined && !code.startsWith('ERR_'))
    return new HoldfastError('storage-failed', { message: messageOf(error), cause: error, details: { systemCode: code } })
  return new HoldfastError('internal', {
    message: messageOf(error),
    cause: error,
    hint: 'this is a defect in Holdfast; run again with HOLDFAST_DEBUG=1 for the stack',
  })
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  return version
}
