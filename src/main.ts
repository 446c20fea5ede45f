import { run } from './cli/index.ts'

/** argv → command → exit code. Called by bin/holdfast.js. */
export async function main(argv: readonly string[]): Promise<void> {
  process.exitCode = await run(argv)
}
