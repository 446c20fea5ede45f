import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { acquireOwnerLock, lockHolder } from './owner-lock.ts'
import { ownIdentity } from '../kernel/index.ts'

async function lockFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-lock-'))
  return { path: join(folder, 'lock'), [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

/** The lock as a process left it that was killed. */
async function leaveAsDead(path: string, change: object): Promise<void> {
  const { token } = await acquireOwnerLock(path, { purpose: 'test' })
  const file = join(path, String(token))
  const owner = JSON.parse(await readFile(file, 'utf8')) as object
  await writeFile(file, JSON.stringify({ ...owner, ...change }))
}

test('the token grows with every holder, released or dead', async () => {
  await using folder = await lockFolder()
  const tokens: number[] = []
  for (let turn = 0; turn < 3; turn++) {
    await using lock = await acquireOwnerLock(folder.path, { purpose: 'test' })
    tokens.push(lock.token)
  }
  await leaveAsDead(folder.path, { started: 'long ago' })
  await using lock = await acquireOwnerLock(folder.path, { purpose: 'test' })
  expect([...tokens, lock.token]).toEqual([1, 2, 3, 5])
  expect(await readdir(folder.path)).toEqual(['5'])
})

test('a pid that another process has by now does not hold the lock', async () => {
  await using folder = await lockFolder()
  const child = spawn('sleep', ['60'])
  try {
    await leaveAsDead(folder.path, { pid: child.pid, started: 'before it' })
    expect(await lockHolder(folder.path)).toMatchObject({ state: 'gone' })
    await using lock = await acquireOwnerLock(folder.path, { purpose: 'test' })
    expect(lock.token).toBe(2)
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
})

test('an owner from before a reboot is gone; one on another host cannot be judged', async () => {
  await using folder = await lockFolder()
  const self = await ownIdentity()
  await leaveAsDead(folder.path, { ...self, boot: 'another boot' })
  expect(await lockHolder(folder.path)).toMatchObject({ state: 'gone' })
  await leaveAsDead(folder.path, { ...self, host: 'another-host' })
  await expect(acquireOwnerLock(folder.path, { purpose: 'test' })).rejects.toMatchObject({
    code: 'run-busy',
    details: { state: 'elsewhere' },
  })
})

test('of many that find the owner dead at the same moment, one takes the lock', async () => {
  await using folder = await lockFolder()
  for (let round = 0; round < 20; round++) {
    await leaveAsDead(folder.path, { started: 'long ago' })
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => acquireOwnerLock(folder.path, { purpose: 'test' })))
    const taken = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    expect(taken).toHaveLength(1)
    await taken[0]?.[Symbol.asyncDispose]()
  }
})

test('a dead owner keeps the lock when its holder still needs it', async () => {
  await using folder = await lockFolder()
  await leaveAsDead(folder.path, { started: 'long ago', holder: 'run-1' })
  const options = { purpose: 'test', mayTakeOver: async ({ holder }: { holder?: string }) => holder !== 'run-1' }
  await expect(acquireOwnerLock(folder.path, options)).rejects.toMatchObject({ code: 'run-busy', details: { state: 'gone' } })
})

test('a lock file that cannot be read is named, not ignored', async () => {
  await using folder = await lockFolder()
  await leaveAsDead(folder.path, {})
  await writeFile(join(folder.path, '7'), 'not a lock')
  await expect(acquireOwnerLock(folder.path, { purpose: 'test' })).rejects.toMatchObject({
    code: 'journal-damaged',
    details: { file: join(folder.path, '7') },
  })
})
