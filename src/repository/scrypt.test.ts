import { randomBytes, scryptSync } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { scrypt } from './scrypt.ts'

// RFC 7914, section 12; the fourth of the vectors takes 1 GiB.
test.each([
  [
    '',
    '',
    { N: 16, r: 1, p: 1 },
    '77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906',
  ],
  [
    'password',
    'NaCl',
    { N: 1024, r: 8, p: 16 },
    'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640',
  ],
  [
    'pleaseletmein',
    'SodiumChloride',
    { N: 16384, r: 8, p: 1 },
    '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
  ],
])('derives what the RFC says from "%s" and "%s"', async (password, salt, kdf, expected) => {
  expect((await scrypt(password, Buffer.from(salt), 64, kdf)).toString('hex')).toBe(expected)
})

test('derives what OpenSSL derives, whatever the cost', async () => {
  const cost = fc.record({
    N: fc.integer({ min: 1, max: 13 }).map((power) => 2 ** power),
    r: fc.integer({ min: 1, max: 9 }),
    p: fc.integer({ min: 1, max: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme' }), cost, fc.integer({ min: 1, max: 100 }), async (password, kdf, length) => {
      const salt = randomBytes(64)
      const expected = scryptSync(password, salt, length, { ...kdf, maxmem: 2 ** 30 })
      expect(await scrypt(password, salt, length, kdf)).toEqual(expected)
    }),
    { numRuns: 60 },
  )
})

test('leaves other work its turn', async () => {
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  await scrypt('secret', randomBytes(64), 64, { N: 32768, r: 8, p: 1 })
  clearInterval(timer)
  expect(turns).toBeGreaterThan(3)
})

test.each(['Memory', 'instantiate'] as const)('asks Node where WebAssembly refuses its %s', async (part) => {
  const real = WebAssembly[part]
  const refuse = () => {
    throw new RangeError('not here')
  }
  Reflect.set(WebAssembly, part, new Proxy(real, { construct: refuse, apply: refuse }))
  try {
    const salt = randomBytes(64)
    const kdf = { N: 1024, r: 8, p: 2 }
    expect(await scrypt('secret', salt, 64, kdf)).toEqual(scryptSync('secret', salt, 64, kdf))
  } finally {
    Reflect.set(WebAssembly, part, real)
  }
})
