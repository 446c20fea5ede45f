import { expect, test } from 'vitest'
import { createMemoryBackend, faulty, type Backend } from '../storage/index.ts'
import { createRepository, openRepository } from './index.ts'

const kdf = { N: 1024, r: 8, p: 1 }

async function made(backend: Backend = createMemoryBackend()) {
  return createRepository(backend, 'first', { kdf })
}

const ids = async (backend: Backend) => (await Array.fromAsync(backend.list('keys'))).map(({ name }) => name)

test('a key that was added opens the same repository, and can be removed by the other', async () => {
  const repository = await made()
  const id = await repository.keys.add('second', { kdf, user: 'somebody', host: 'elsewhere' })
  expect(await repository.keys.list()).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ id: repository.keys.current, current: true }),
      { id, current: false, created: expect.any(String), username: 'somebody', hostname: 'elsewhere' },
    ]),
  )
  const second = await openRepository(repository.backend, 'second')
  expect(second).toMatchObject({ id: repository.id })
  expect(second.keys.masterKey()).toBe(repository.keys.masterKey())
  expect(second.keys.current).toBe(id)
  await second.keys.remove(repository.keys.current)
  await expect(openRepository(repository.backend, 'first')).rejects.toMatchObject({ code: 'wrong-password' })
})

test('the key in use cannot be removed, and no key when the one in use is gone or damaged', async () => {
  const repository = await made()
  const { keys, backend } = repository
  await expect(keys.remove(keys.current)).rejects.toMatchObject({ code: 'usage' })
  const other = await keys.add('second', { kdf })
  const file = await backend.get('keys', keys.current)
  await backend.delete('keys', keys.current)
  await expect(keys.remove(other)).rejects.toMatchObject({ code: 'object-missing' })
  await backend.put('keys', keys.current, file.with(20, 0))
  await expect(keys.remove(other)).rejects.toMatchObject({ code: 'object-damaged' })
  expect(await ids(backend)).toContain(other)
})

test('changing the password leaves one key, that of the new one', async () => {
  const repository = await made()
  const { keys, backend } = repository
  const id = await keys.changePassword('second', { kdf })
  expect(await ids(backend)).toEqual([id])
  expect(keys.current).toBe(id)
  await expect(openRepository(backend, 'first')).rejects.toMatchObject({ code: 'wrong-password' })
  await expect(openRepository(backend, 'second')).resolves.toMatchObject({ id: repository.id })
})

test('a new key that cannot be read back whole is removed, and the old one stays', async () => {
  const backend = createMemoryBackend()
  await made(backend)
  const flipping = faulty(backend, [{ on: 'get', kind: 'keys', nth: 2, fault: { type: 'flip-bit', bit: 2000 } }])
  const repository = await openRepository(flipping, 'first')
  const before = await ids(backend)
  await expect(repository.keys.changePassword('second', { kdf })).rejects.toMatchObject({ code: 'object-damaged' })
  expect(await ids(backend)).toEqual(before)
  await expect(openRepository(backend, 'first')).resolves.toBeDefined()
})

test('an empty password is refused', async () => {
  const { keys } = await made()
  await expect(keys.add('')).rejects.toMatchObject({ code: 'usage' })
})
