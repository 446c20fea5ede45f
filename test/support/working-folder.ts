import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, vi } from 'vitest'

/** Makes an empty folder and works in it until the test ends, when the environment that it stubbed comes back too. Gives its path. */
export async function workInEmptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-test-'))
  const before = process.cwd()
  onTestFinished(async () => {
    process.chdir(before)
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  })
  process.chdir(folder)
  return folder
}
