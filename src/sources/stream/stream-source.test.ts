import { expect, test } from 'vitest'
import { memoryRepository } from '../../../test/support/snapshot-of.ts'
import { backup, dump } from '../../backup/index.ts'
import type { Repository } from '../../repository/index.ts'
import { commandOutput } from './command-output.ts'
import { createStreamSource } from './stream-source.ts'

const { signal } = new AbortController()

const save = (repository: Repository, command: readonly string[], name = 'out') =>
  backup(
    {
      repository,
      source: createStreamSource({ name, pieces: (abort) => commandOutput(command, abort), mayBeEmpty: true }),
      writer: { workers: 1 },
    },
    () => {},
    signal,
  )

test('what a program writes is one file of the snapshot, at its path', async () => {
  const repository = await memoryRepository()
  const { snapshot = '', totalBytesProcessed } = await save(
    repository,
    ['sh', '-c', 'printf a; sleep 0.1; printf b'],
    'dumps/db.sql',
  )
  expect(totalBytesProcessed).toBe(2)
  const found = await repository.findSnapshot(snapshot)
  expect(found.paths).toEqual(['/dumps/db.sql'])
  await using folder = await (await import('../../../test/support/holdfast.ts')).temporaryFolder('stream')
  await dump({ repository, snapshot: found, path: '/dumps/db.sql' }, `${folder.path}/out`, signal)
  const { readFile } = await import('node:fs/promises')
  expect(await readFile(`${folder.path}/out`, 'utf8')).toBe('ab')
})

test('a program that fails leaves no snapshot, however much it wrote before', async () => {
  const repository = await memoryRepository()
  await expect(save(repository, ['sh', '-c', 'printf some; exit 3'])).rejects.toMatchObject({
    code: 'command-failed',
    message: expect.stringContaining('exit code 3'),
  })
  await expect(save(repository, ['sh', '-c', 'kill -9 $$'])).rejects.toMatchObject({
    message: expect.stringContaining('SIGKILL'),
  })
  await expect(save(repository, ['no-such-program'])).rejects.toMatchObject({ code: 'not-found' })
  expect(await repository.snapshots()).toEqual([])
})

test('a program that is no longer listened to is ended', async () => {
  const abort = new AbortController()
  const output = commandOutput(['sh', '-c', 'echo $$; exec sleep 1000'], abort.signal)
  const { value } = await output.next()
  const pid = Number(Buffer.from(value ?? []).toString())
  abort.abort(new Error('enough'))
  await expect(output.next()).rejects.toThrow('enough')
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
})

test('nothing from a pipe is no backup', async () => {
  const repository = await memoryRepository()
  const source = createStreamSource({ name: 'stdin', pieces: async function* () {} })
  await expect(backup({ repository, source, writer: { workers: 1 } }, () => {}, signal)).rejects.toMatchObject({
    code: 'source-unreadable',
  })
  expect(await repository.snapshots()).toEqual([])
})
