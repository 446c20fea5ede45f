import { spawnSync } from 'node:child_process'
import { closeSync, openSync, writeSync } from 'node:fs'
import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { mounted, run } from '../support/mounted.ts'

/** Writes until nothing more fits. */
function fill(path: string): void {
  const file = openSync(path, 'w')
  const full = () => {
    for (;;) writeSync(file, Buffer.alloc(4096))
  }
  expect(full).toThrow(/ENOSPC/)
  closeSync(file)
}

describe.skipIf(process.getuid?.() !== 0)('disk.read-only (needs root, for a file system of its own)', () => {
  test.for([
    ['tmpfs', 'size=4m,nosuid,noexec,noatime'],
    ['ext4', 'nosuid,nodev,noatime,errors=remount-ro,commit=17'],
    ['ext4', 'strictatime'],
  ] as const)(
    'nothing can be written to a file system %s (%s), and all its options are as before at the end',
    async ([type, options]) => {
      await using folder = await chaosFolder()
      await using disk = await mounted(folder.path, type, options)
      await using guard = await guardIn(folder.path)
      const before = disk.seen()
      await disk.write()
      const fault = await guard.inject(bound('disk.read-only', { mount: disk.path }), 60_000, never)
      await expect(disk.write()).rejects.toMatchObject({ code: 'EROFS' })
      expect(await readFile(join(disk.path, 'file'), 'utf8')).toBe('text')
      expect(await fault.look(never)).toEqual({ state: 'present' })
      await fault.end()
      expect(await fault.look(never)).toEqual({ state: 'absent' })
      expect(disk.seen()).toEqual(before)
      await disk.write()
    },
  )

  test('what somebody else has made writable, or mounted anew, is left as it is', async () => {
    await using folder = await chaosFolder()
    await using disk = await mounted(folder.path, 'tmpfs', 'size=4m')
    await using guard = await guardIn(folder.path)
    const first = await guard.inject(bound('disk.read-only', { mount: disk.path }), 60_000, never)
    await run('mount', '-o', 'remount,rw', disk.path)
    expect(await first.look(never)).toEqual({ state: 'absent' })
    await first.end()
    const second = await guard.inject(bound('disk.read-only', { mount: disk.path }), 60_000, never)
    await disk.again()
    await run('mount', '-o', 'remount,ro', disk.path)
    expect(await second.look(never)).toEqual({ state: 'absent' })
    await second.end()
    expect(disk.seen().superOptions).toContain('ro')
  })

  test('what somebody else has made read-only since it was chosen stays so', async () => {
    await using folder = await chaosFolder()
    await using disk = await mounted(folder.path, 'tmpfs', 'size=4m')
    await using guard = await guardIn(folder.path, {
      afterRecord: (step) => {
        if (step === 'injecting') spawnSync('mount', ['-o', 'remount,ro', disk.path])
      },
    })
    const refused = guard.inject(bound('disk.read-only', { mount: disk.path }), 60_000, never)
    await expect(refused).rejects.toMatchObject({ code: 'fault-refused' })
    expect(disk.seen().superOptions).toContain('ro')
  })

  test('without room for a note nothing is remounted', async () => {
    await using folder = await chaosFolder()
    await using disk = await mounted(folder.path, 'tmpfs', 'size=4m')
    const records = join(folder.path, 'records')
    await mkdir(records)
    await run('mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', records)
    try {
      await using guard = await guardIn(records, {
        afterRecord: (step) => {
          if (step === 'injecting') fill(join(records, 'full'))
        },
      })
      const full = guard.inject(bound('disk.read-only', { mount: disk.path }), 60_000, never)
      await expect(full).rejects.toMatchObject({ code: 'fault-failed', cause: { code: 'disk-full' } })
      await disk.write()
      await rm(join(records, 'full'))
    } finally {
      await run('umount', '-l', records)
    }
  })

  test('a mount that another one covers is not guessed at: the fault stays open until it can be seen', async () => {
    await using folder = await chaosFolder()
    await using disk = await mounted(folder.path, 'tmpfs', 'size=4m')
    await using guard = await guardIn(folder.path, { cleanUpMs: 500 })
    const fault = await guard.inject(bound('disk.read-only', { mount: disk.path }), 60_000, never)
    await run('mount', '-t', 'tmpfs', 'tmpfs', disk.path)
    await expect(fault.look(never)).rejects.toMatchObject({ code: 'outcome-unknown' })
    await run('umount', disk.path)
    await fault.end()
    await disk.write()
  })

  test('what has a file open for writing is named, and nothing is remounted', async () => {
    await using folder = await chaosFolder()
    await using disk = await mounted(folder.path, 'ext4', 'noatime')
    await using guard = await guardIn(folder.path)
    const inject = () => guard.inject(bound('disk.read-only', { mount: disk.path }), 60_000, never)
    const file = await open(join(disk.path, 'open'), 'w')
    await expect(inject()).rejects.toMatchObject({
      code: 'fault-refused',
      message: expect.stringContaining(`process ${process.pid} (`) as string,
    })
    await file.close()
    await using _reader = await open(join(disk.path, 'open'), 'r')
    await (await inject()).end()
  })

  test('the root, what is no mount, what is read-only, mounted twice, or holds the records is refused', async () => {
    await using folder = await chaosFolder()
    await using disk = await mounted(folder.path, 'tmpfs', 'size=4m')
    await using guard = await guardIn(folder.path)
    const refused = async (mount: string, message: string, where = guard) =>
      await expect(where.inject(bound('disk.read-only', { mount }), 60_000, never)).rejects.toMatchObject({
        code: 'fault-refused',
        message: expect.stringContaining(message) as string,
      })
    await refused('/', 'the root file system')
    await refused('/proc', 'a remount of proc')
    await refused(folder.path, 'nothing is mounted at')
    await mkdir(join(folder.path, 'second'))
    await run('mount', '--bind', disk.path, join(folder.path, 'second'))
    await refused(disk.path, `mounted at ${join(folder.path, 'second')} too`)
    await run('umount', join(folder.path, 'second'))
    await run('mount', '-o', 'remount,ro', disk.path)
    await refused(disk.path, 'is read-only already')
    await run('mount', '-o', 'remount,rw', disk.path)
    await using inside = await guardIn(disk.path)
    await refused(disk.path, 'keeps the records of faults', inside)
  })

  test('an experiment that is killed leaves the file system writable, at whatever step', { timeout: 600_000 }, async () => {
    await using folder = await chaosFolder()
    await using disk = await mounted(folder.path, 'ext4', 'nosuid,noatime,commit=17')
    const before = disk.seen()
    await expectNothingLeft('disk.read-only', { mount: disk.path }, async (after) => {
      expect(disk.seen(), after).toEqual(before)
      await disk.write()
    })
  })
})
