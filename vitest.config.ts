import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** What the program remembers of repositories that no catalog names must not end up in the developer's home. */
const env = {
  NO_COLOR: '1',
  XDG_STATE_HOME: join(tmpdir(), 'holdfast-test-state'),
  // Threads start from what was made of the sources: from the sources themselves, each takes ten times as long.
  HOLDFAST_BUNDLE: fileURLToPath(new URL('dist/', import.meta.url)),
}
/** A condition that is waited for may take its time on a busy machine: only a test that hangs should fail for it. */
const expect = { poll: { timeout: 15_000 } }
const reporters = ['default', './test/support/closing-line.ts']

export default defineConfig({
  test: {
    reporters,
    // Much of the time is waiting, for servers and for locks to settle; more than two would make those wait for each other.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'],
          globalSetup: 'test/support/bundle-setup.ts',
          testTimeout: 20_000,
          expect,
          env,
        },
      },
      {
        test: {
          name: 'real-parts',
          include: ['test/**/*.test.ts'],
          globalSetup: ['test/support/bundle-setup.ts', 'test/support/programs-setup.ts', 'test/support/peers-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect,
          env,
        },
      },
    ],
  },
})
