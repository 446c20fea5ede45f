import { closeSync, ftruncateSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { restoreSnapshot } from '../../src/backup/index.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository, testPassword } from '../support/restic.ts'
import { testProgram } from '../support/program.ts'

const MiB = 1024 * 1024
const program = testProgram('interop/large-backup-process')

interface Measured {
  readonly peakBytes: number
  readonly bytesRead: number
  readonly addedBytes: number
}

async function backUpInProcess(repository: string, ...what: string[]): Promise<Measured> {
  const { exitCode, stdout, stderr } = await runProcess(process.execPath, [program, repository, testPassword, ...what])
  if (exitCode !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Measured
}

describeWith('restic', 'content larger than memory should be', (restic) => {
  test('a stream of 448 MiB that never repeats goes through with bounded memory', async () => {
    using shared = sharedRepository(restic)
    await shared.create()
    const { peakBytes, addedBytes } = await backUpInProcess(shared.path, 'stream', '448')
    expect(addedBytes).toBeGreaterThan(448 * MiB)
    expect(peakBytes).toBeLessThan(400 * MiB)
    await shared.restic(['check'])
  })

  test('a sparse file of 1 GiB is read with bounded memory, stored once, and restored sparse', async () => {
    using shared = sharedRepository(restic)
    const source = join(shared.folder, 'source')
    mkdirSync(source)
    const path = join(source, 'sparse')
    const file = openSync(path, 'w')
    ftruncateSync(file, 1024 * MiB)
    writeSync(file, 'an island', 700 * MiB)
    closeSync(file)
    await using repository = await shared.create()
    const { peakBytes, bytesRead, addedBytes } = await backUpInProcess(shared.path, 'files', path)
    expect(bytesRead).toBe(1024 * MiB)
    expect(addedBytes).toBeLessThan(12 * MiB)
    expect(peakBytes).toBeLessThan(400 * MiB)

    const snapshot = await repository.findSnapshot('latest')
    const target = join(shared.folder, 'back')
    const job = { repository, snapshot, target, subtree: source, verify: true }
    expect(await restoreSnapshot(job, () => {}, new AbortController().signal)).toMatchObject({ verifiedFiles: 1 })
    const restored = statSync(join(target, 'sparse'))
    expect(restored.size).toBe(1024 * MiB)
    expect(restored.blocks * 512).toBeLessThan(16 * MiB)
    await shared.check()
  })
})
