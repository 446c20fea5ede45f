import { defineConfig } from 'vitest/config'

const reporters = ['default', './test/support/closing-line.ts']

export default defineConfig({
  test: {
    reporters,
    projects: [
      { test: { name: 'unit', include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'], testTimeout: 20_000 } },
      {
        test: {
          name: 'real-parts',
          include: ['test/**/*.test.ts'],
          globalSetup: ['test/support/peers-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
