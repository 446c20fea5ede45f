import { mkdir, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { markedProcesses } from '../../src/faults/index.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { describeWith } from '../support/peers.ts'

/** A file system of 16 MiB in memory. */
async function smallDisk(folder: string) {
  const path = join(folder, 'small')
  await mkdir(path)
  const { exitCode, stderr } = await runProcess('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', path])
  if (exitCode !== 0) throw new Error(stderr)
  return {
    path,
    async usedPercent() {
      const { blocks, bfree } = await statfs(path)
      return Math.round(((blocks - bfree) / blocks) * 100)
    },
    [Symbol.asyncDispose]: async () => void (await runProcess('umount', ['-l', path])),
  }
}

describe.skipIf(process.getuid?.() !== 0)('a full disk (needs root, for a file system of its own)', () => {
  test('a disk is filled to a percentage, and is as before at the end', async () => {
    await using folder = await chaosFolder()
    await using disk = await smallDisk(folder.path)
    await using guard = await guardIn(folder.path)
    const fault = await guard.inject(bound('disk.fill', { directory: disk.path, fill: { percent: 80 } }), 60_000, never)
    expect(await disk.usedPercent()).toBe(80)
    // Nor would a file system that keeps what is alike once have room left.
    const [name = ''] = await readdir(disk.path)
    const blocks = blocksOf(await readFile(join(disk.path, name)))
    expect(new Set(blocks).size).toBe(blocks.length)
    await fault.end()
    expect(await readdir(disk.path)).toEqual([])
    expect(await disk.usedPercent()).toBe(0)
  })

  test('a full disk refuses others; with a reserve it does not', async () => {
    await using folder = await chaosFolder()
    await using disk = await smallDisk(folder.path)
    await using guard = await guardIn(folder.path)
    const write = () => writeFile(join(disk.path, 'theirs'), Buffer.alloc(512 * 1024))
    const full = await guard.inject(bound('disk.fill', { directory: disk.path, fill: { percent: 100 } }), 60_000, never)
    await expect(write()).rejects.toMatchObject({ code: 'ENOSPC' })
    await full.end()
    await guard.inject(bound('disk.fill', { directory: disk.path, fill: { percent: 100 }, leave: '1MiB' }), 60_000, never)
    await write()
    expect((await readdir(disk.path)).length).toBe(2)
  })

  test(
    'an experiment that fills the very disk of its records, and is killed, leaves nothing at whatever step',
    { timeout: 600_000 },
    async () => {
      await using folder = await chaosFolder()
      await using disk = await smallDisk(folder.path)
      const fill = { directory: disk.path, fill: { percent: 100 } }
      await expectNothingLeft(
        'disk.fill',
        fill,
        async (after) => {
          const left = await readdir(disk.path)
          expect(left, after).toEqual([expect.stringMatching(/^holdfast-crash-/)])
          // Room again: it was not only the name that went.
          await writeFile(join(disk.path, 'room'), Buffer.alloc(512 * 1024))
          await rm(join(disk.path, 'room'))
        },
        { records: disk.path },
      )
    },
  )
})

function blocksOf(content: Buffer): string[] {
  return Array.from({ length: Math.ceil(content.length / 4096) }, (_, block) =>
    content.toString('latin1', block * 4096, (block + 1) * 4096),
  )
}

describeWith('stress-ng', 'stress', () => {
  test('a processor is kept busy, and nothing runs at the end', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const params = { cpu: { workers: 1, load: 20 }, memory: { size: '8MiB' }, io: { directory: folder.path, size: '4MiB' } }
    const fault = await guard.inject(bound('stress', params), 60_000, never)
    expect((await markedProcesses(fault.id)).length).toBeGreaterThanOrEqual(4)
    await fault.end()
    expect(await markedProcesses(fault.id)).toEqual([])
    expect((await readdir(folder.path)).sort()).toEqual(['faults'])
  })

  test('an experiment that is killed leaves nothing running, at whatever step', { timeout: 600_000 }, async () => {
    // That nothing with its mark runs is looked at after each.
    await expectNothingLeft('stress', { cpu: { workers: 1, load: 5 } }, async () => {})
  })
})
