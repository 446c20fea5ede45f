import { chmod, chown, lstat, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { resolveSecret } from '../../src/catalog/index.ts'
import { sweep } from '../../src/chaos/index.ts'
import { faults } from '../../src/faults/index.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { expectNothingLeft, startExperiment, watchdogsOf } from '../support/fault-crash.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository } from '../support/restic.ts'
import { undoByHand } from '../support/undo-by-hand.ts'

const program = new URL('../../bin/holdfast.js', import.meta.url).pathname
const isRoot = process.getuid?.() === 0

/** A password in a file that only its group may read too. */
async function credential() {
  const folder = await chaosFolder()
  const file = join(folder.path, 'password')
  await writeFile(file, 'correct horse\n')
  if (isRoot) await chown(file, 65_534, 65_533)
  await chmod(file, 0o640)
  return {
    path: folder.path,
    file,
    read: async () => (await resolveSecret({ file })).reveal(),
    /** All of it, to the inode. */
    async identity() {
      const { ino, mode, uid, gid, mtimeMs } = await lstat(file)
      return { ino, mode, uid, gid, mtimeMs, content: await readFile(file, 'utf8') }
    },
    others: async () => (await readdir(folder.path)).filter((name) => !['password', 'faults', 'expired'].includes(name)),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

test('a credential that is missing cannot be read, and is back in the end to the inode', async () => {
  await using secret = await credential()
  await using guard = await guardIn(secret.path)
  const before = await secret.identity()
  const fault = await guard.inject(bound('credentials.missing', { file: secret.file }), 60_000, never)
  await expect(secret.read()).rejects.toMatchObject({ code: 'secret-unavailable' })
  await fault.end()
  expect(await secret.identity()).toEqual(before)
  expect(await secret.others()).toEqual([])
})

test('a credential that has expired is another one of the same mode and owner, and the right one is back in the end', async () => {
  await using secret = await credential()
  await using guard = await guardIn(secret.path)
  const before = await secret.identity()
  const by = join(secret.path, 'expired')
  await writeFile(by, 'battery staple\n')
  const fault = await guard.inject(bound('credentials.expired', { file: secret.file, by }), 60_000, never)
  expect(await secret.read()).toBe('battery staple')
  const { mode, uid, gid } = before
  expect(await secret.identity()).toMatchObject({ mode, uid, gid })
  await fault.end()
  expect(await secret.identity()).toEqual(before)
  expect(await secret.others()).toEqual([])
  const same = guard.inject(bound('credentials.expired', { file: secret.file, by: secret.file }), 60_000, never)
  await expect(same).rejects.toMatchObject({ code: 'fault-refused' })
})

test('a replacement that cannot be read, or has been changed since it was looked at, is refused, and nothing is moved', async () => {
  await using secret = await credential()
  await using guard = await guardIn(secret.path, {
    afterRecord: (step) => {
      if (step === 'injecting') writeFileSync(by, 'yet another\n')
    },
  })
  const before = await secret.identity()
  const by = join(secret.path, 'expired')
  const refused = async (message: string) =>
    await expect(guard.inject(bound('credentials.expired', { file: secret.file, by }), 60_000, never)).rejects.toMatchObject({
      code: 'fault-refused',
      message: expect.stringContaining(message) as string,
    })
  await refused(`${by} cannot be read`)
  await writeFile(by, 'battery staple\n')
  await refused('has been changed since')
  expect(await secret.identity()).toEqual(before)
  expect(await secret.others()).toEqual([])
})

test.for(['credentials.missing', 'credentials.expired'])(
  '%s: a file that was renewed meanwhile is not overwritten, and people choose',
  async (kind) => {
    await using secret = await credential()
    const guard = await guardIn(secret.path, { cleanUpMs: 500 })
    const fault = await guard.inject(bound(kind, { file: secret.file }), 60_000, never)
    await rm(secret.file, { force: true })
    await writeFile(secret.file, 'renewed\n')
    await expect(fault.end()).rejects.toMatchObject({
      code: 'clean-up-failed',
      message: expect.stringContaining('another file') as string,
    })
    await expect(guard[Symbol.asyncDispose]()).rejects.toMatchObject({ code: 'clean-up-failed' })
    expect(await secret.read()).toBe('renewed')
    const [aside = ''] = await secret.others()
    expect(await readFile(join(secret.path, aside), 'utf8')).toBe('correct horse\n')
    await rm(join(secret.path, aside))
    expect(await fault.look(never)).toEqual({ state: 'absent' })
  },
)

test('what somebody has put back by hand is left as it is, and so is a folder', async () => {
  await using secret = await credential()
  await using guard = await guardIn(secret.path)
  const before = await secret.identity()
  const fault = await guard.inject(bound('credentials.expired', { file: secret.file }), 60_000, never)
  await undoByHand(secret.path, fault)
  expect(await fault.look(never)).toEqual({ state: 'absent' })
  await fault.end()
  expect(await secret.identity()).toEqual(before)
  for (const file of [secret.path, join(secret.path, 'none')]) {
    const refused = guard.inject(bound('credentials.missing', { file }), 60_000, never)
    await expect(refused).rejects.toMatchObject({ code: 'fault-refused' })
  }
})

test('a symbolic link is moved, and not what it leads to', async () => {
  await using secret = await credential()
  await using guard = await guardIn(secret.path)
  const real = join(secret.path, 'expired')
  await rename(secret.file, real)
  await symlink(real, secret.file)
  const fault = await guard.inject(bound('credentials.expired', { file: secret.file }), 60_000, never)
  expect(await readFile(real, 'utf8')).toBe('correct horse\n')
  expect(await secret.read()).toBe(`holdfast-fault-${fault.id}`)
  await fault.end()
  expect((await lstat(secret.file)).isSymbolicLink()).toBe(true)
  expect(await secret.read()).toBe('correct horse')
})

test.for(['credentials.missing', 'credentials.expired'])(
  '%s: an experiment that is killed leaves the credential as it was, at whatever step',
  { timeout: 600_000 },
  async (kind) => {
    await using secret = await credential()
    const before = await secret.identity()
    await expectNothingLeft(kind, { file: secret.file }, async (after) => {
      expect(await secret.identity(), after).toEqual(before)
      expect(await secret.others(), after).toEqual([])
    })
  },
)

describeWith('restic', 'Holdfast itself unavailable', (restic) => {
  test('the command says why it does not work, restic restores, and the command is back when all of Holdfast was killed', async () => {
    await using folder = await chaosFolder()
    const shared = sharedRepository(restic, folder.path)
    await (await shared.create())[Symbol.asyncDispose]()
    await writeFile(join(folder.path, 'orders'), 'all of them')
    await shared.restic(['backup', 'orders'], { cwd: folder.path })
    const command = join(folder.path, 'holdfast')
    await symlink(program, command)
    const directory = join(folder.path, 'faults')
    const experiment = startExperiment(directory, 'holdfast.unavailable', { program: command }, 'hold')
    await once(experiment.stdout!, 'data')
    const { exitCode, stderr } = await runProcess(command, ['--version'])
    expect(exitCode).toBe(127)
    expect(stderr).toContain("the experiment 'crash' wants it so")
    await shared.restic(['restore', 'latest', '--target', join(folder.path, 'back')])
    expect(await readFile(join(folder.path, 'back', 'orders'), 'utf8')).toBe('all of them')

    for (const pid of await watchdogsOf(directory)) process.kill(pid, 'SIGKILL')
    process.kill(-experiment.pid, 'SIGKILL')
    await once(experiment, 'exit')
    const [, byHand = ''] = /^To end that: (.*)$/m.exec(stderr) ?? []
    expect((await runProcess('sh', ['-c', byHand])).exitCode).toBe(0)
    expect((await runProcess(command, ['--version'])).exitCode).toBe(0)
    expect((await lstat(command)).isSymbolicLink()).toBe(true)
    expect((await stat(command)).ino).toBe((await stat(program)).ino)
    expect(await sweep({ directory, faults }, never)).toMatchObject([{ state: 'cleared' }])
  })
})
