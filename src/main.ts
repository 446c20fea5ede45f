import { run } from './cli/index.ts'

/** argv → command → exit code. Called by bin/holdfast.js, and below when this file itself is what Node was told to run. */
export async function main(argv: readonly string[]): Promise<void> {
  process.exitCode = await run(argv)
}

if (import.meta.main) await main(process.argv.slice(2))
