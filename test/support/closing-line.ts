import type { Reporter, TestModule } from 'vitest/node'

/** Prints `N passed, N failed` (and `, N skipped`) alone on the last line, for people and for CI. No test at all counts as a failure. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      let tests = 0
      for (const test of module.children.allTests()) {
        tests++
        const { state } = test.result()
        if (state === 'passed' || state === 'failed' || state === 'skipped') count[state]++
        else count.failed++
      }
      // A file that could not be loaded has no tests, and must not pass for that.
      if (tests === 0 && module.state() !== 'skipped') count.failed++
    }
    if (count.passed + count.failed + count.skipped === 0) count.failed++
    if (count.failed > 0) process.exitCode = 1
    const line = `${count.passed} passed, ${count.failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ''}`
    process.once('exit', () => process.stdout.write(`\n${line}\n`))
  }
}
