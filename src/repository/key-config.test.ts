import { expect, test } from 'vitest'
import { decodeConfig, encodeConfig, generateConfig } from './config.ts'
import { decodeKeyFile, encodeKeyFile, generateMasterKey } from './key-file.ts'
import { isIrreducible, randomPolynomial } from './polynomial.ts'
import { seal, sealKeys } from './seal.ts'

const kdf = { N: 1024, r: 8, p: 1 }

test('a key file opens with its password and no other', async () => {
  const master = generateMasterKey()
  const file = await encodeKeyFile(master, 'pässword', { kdf })
  expect(await decodeKeyFile(file, 'pässword', 'a key')).toEqual(master)
  expect(await decodeKeyFile(file, 'password', 'a key')).toBeUndefined()
})

test("a key file has restic's fields in restic's order", async () => {
  const file = await encodeKeyFile(generateMasterKey(), 'x', { kdf })
  const names = Object.keys(JSON.parse(Buffer.from(file).toString()) as object)
  expect(names).toEqual(['created', 'username', 'hostname', 'kdf', 'N', 'r', 'p', 'salt', 'data'])
})

test('a key file has its time as restic writes it, without zeros at the end', async () => {
  const file = await encodeKeyFile(generateMasterKey(), 'x', { kdf, created: new Date('2026-11-28T02:44:41.550Z') })
  const { created } = JSON.parse(Buffer.from(file).toString()) as { created: string }
  expect(created).toMatch(/:41\.55(Z|[+-]\d\d:\d\d)$/)
  expect(Date.parse(created)).toBe(Date.parse('2026-11-28T02:44:41.550Z'))
})

test.each([
  ['a derivation other than scrypt', { kdf: 'argon2' }, 'unsupported-repository'],
  ['more memory than any key needs', { N: 2 ** 30 }, 'unsupported-repository'],
  ['an N that is no power of two', { N: 1000 }, 'unsupported-repository'],
  ['a short salt', { salt: 'AAAA' }, 'object-damaged'],
  ['no data', { data: undefined }, 'object-damaged'],
])('a key file with %s is refused', async (_what, change, code) => {
  const file = JSON.parse(Buffer.from(await encodeKeyFile(generateMasterKey(), 'x', { kdf })).toString()) as object
  const changed = Buffer.from(JSON.stringify({ ...file, ...change }))
  await expect(decodeKeyFile(changed, 'x', 'a key')).rejects.toMatchObject({ code })
})

test('a config comes back as it was written', () => {
  const keys = sealKeys(generateMasterKey())
  const config = generateConfig()
  expect(decodeConfig(keys, encodeConfig(keys, config))).toEqual(config)
})

test.each([
  [{ version: 3 }, 'version 3'],
  [{ chunker: 'fixed_size' }, 'fixed_size'],
  [{ chunk_min_size: 1 }, 'chunk_min_size'],
  [{ chunker_polynomial: '3da3358b4dc172' }, 'not irreducible'],
])('a config that would have us cut or write otherwise is refused: %j', (change, why) => {
  const keys = sealKeys(generateMasterKey())
  const fields = { version: 2, id: 'ab'.repeat(32), chunker_polynomial: '3da3358b4dc173', ...change }
  expect(() => decodeConfig(keys, seal(keys, Buffer.from(JSON.stringify(fields))))).toThrow(
    expect.objectContaining({ code: 'unsupported-repository', message: expect.stringContaining(why) }),
  )
})

test("rustic's own fields with standard values are accepted", () => {
  const keys = sealKeys(generateMasterKey())
  const fields = { version: 2, id: 'ab'.repeat(32), chunker_polynomial: '3da3358b4dc173', chunker: 'rabin', is_hot: true }
  expect(decodeConfig(keys, seal(keys, Buffer.from(JSON.stringify(fields)))).chunkerPolynomial).toBe(0x3da3358b4dc173n)
})

test('irreducible polynomials are told from others', () => {
  expect([0b10n, 0b11n, 0b111n, 0b1011n, 0x3da3358b4dc173n].every(isIrreducible)).toBe(true)
  expect([0n, 1n, 0b101n, 0b110n, 0b1111n, 0x3da3358b4dc171n].some(isIrreducible)).toBe(false)
  const random = randomPolynomial()
  expect(random.toString(2)).toHaveLength(54)
  expect(isIrreducible(random)).toBe(true)
})
