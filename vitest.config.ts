import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** What the program remembers of repositories that no catalog names must not end up in the developer's home. */
const env = { XDG_STATE_HOME: join(tmpdir(), 'holdfast-test-state') }
const reporters = ['default', './test/support/closing-line.ts']

export default defineConfig({
  test: {
    reporters,
    // Much of the time is waiting, for servers and for locks to settle; more than two would make those wait for each other.
    maxWorkers: 2,
    projects: [
      { test: { name: 'unit', include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'], testTimeout: 20_000, env } },
      {
        test: {
          name: 'real-parts',
          include: ['test/**/*.test.ts'],
          globalSetup: ['test/support/peers-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          env,
        },
      },
    ],
  },
})
