import { expect, test } from 'vitest'
import { seal, sealKeys, sealOverheadBytes, tryUnseal, unseal } from './seal.ts'

const hex = (text: string) => Buffer.from(text, 'hex')
const range = (from: number, count: number) => Buffer.from(Array.from({ length: count }, (_, at) => from + at))

const resticKeys = sealKeys({
  encrypt: hex('303e8687b1d7db18421bdc6bb8588ccadac4d59ee87b8ff70c44e635790cafef'),
  macK: hex('ef4d8824cb80b2bcc5fbff8a9b12a42c'),
  macR: hex('cc8d4b948ee0ebfe1d415de921d10353'),
})
const unmaskedKeys = sealKeys({ encrypt: range(0, 32), macK: range(0x20, 16), macR: Buffer.alloc(16, 0xff) })

test("opens restic's own test vector", () => {
  const sealed = hex('69fb41c62d12def4593bd71757138606338f621aeaeb39da0fe4f99233f8037a54ea63338a813bcf3f75d8c3cc75dddf8750')
  expect(Buffer.from(unseal(resticKeys, sealed)).toString()).toBe('Dies ist ein Test!')
})

test('seals with an unmasked r as restic does', () => {
  const sealed = seal(unmaskedKeys, Buffer.from('hello restic'), range(0x30, 16))
  expect(Buffer.from(sealed).toString('hex')).toBe(
    `${range(0x30, 16).toString('hex')}8a1162e695f496b42e790f783021c902ca2ebfa4dc96380fd2dc7ef9`,
  )
})

test.each([0, 1, 65_535, 65_536, 65_537, 300_000])('%i bytes come back, and weigh 32 bytes more when sealed', (size) => {
  const plaintext = Buffer.alloc(size, 'some content')
  const sealed = seal(resticKeys, plaintext)
  expect(sealed).toHaveLength(size + sealOverheadBytes)
  expect(Buffer.from(unseal(resticKeys, sealed))).toEqual(plaintext)
})

test('the same plaintext is never sealed into the same bytes', () => {
  const plaintext = Buffer.from('again')
  expect(seal(resticKeys, plaintext)).not.toEqual(seal(resticKeys, plaintext))
})

test('one flipped bit anywhere is refused, and so is any truncation', () => {
  const sealed = seal(resticKeys, Buffer.from('authentic'))
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const altered = Buffer.from(sealed)
    altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(tryUnseal(resticKeys, altered)).toBeUndefined()
  }
  for (let length = 0; length < sealed.length; length++) expect(tryUnseal(resticKeys, sealed.subarray(0, length))).toBeUndefined()
})

test('a forgotten, all-zero nonce is refused even when it authenticates', () => {
  const sealed = seal(resticKeys, Buffer.from('x'), new Uint8Array(16))
  expect(() => unseal(resticKeys, sealed, 'a test')).toThrow(expect.objectContaining({ code: 'object-damaged' }))
})
