import { fileURLToPath } from 'node:url'

/**
 * A program of the tests, by its path in `test/` without extension, as a bundle (programs-setup.ts): from its sources it takes seconds to start, and
 * the crash tests start hundreds.
 */
export function testProgram(path: string): string {
  return fileURLToPath(new URL(`../../dist/tests/${path}.js`, import.meta.url))
}
