import { spawnSync } from 'node:child_process'
import { createCipheriv, randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { poly1305 } from '../poly1305.ts'
import { sealKeys } from '../seal.ts'
import type { Kernels } from './contract.ts'
import { loadNativeKernels } from './native.ts'
import { portableKernels } from './portable.ts'

const keys = sealKeys({ encrypt: randomBytes(32), macK: randomBytes(16), macR: randomBytes(16) })
/** Runs and noise: some compress, some do not. */
const content = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 200 })), { maxLength: 30 })
  .map((runs) => Buffer.concat(runs.flatMap(([bytes, times]) => Array.from({ length: times }, () => Buffer.from(bytes)))))

const native = loadNativeKernels()

test('the Node that Holdfast brings has native kernels', () => {
  expect(native).toBeDefined()
})

test('what native kernels are given is still there when they are called, however often garbage is collected', () => {
  const script = fileURLToPath(new URL('../../../test/support/kernels-process.ts', import.meta.url))
  const ended = spawnSync(process.execPath, ['--expose-gc', script], { encoding: 'utf8' })
  expect(ended).toMatchObject({ status: 0, signal: null, stdout: 'all the same\n' })
})

const implementations: [string, Kernels][] = [['portable', portableKernels]]
if (native !== undefined) implementations.push(['native', native])

describe.each(implementations)('%s kernels', (_, kernels) => {
  test('what is compressed is a zstd frame that says its size, and comes back', () => {
    fc.assert(
      fc.property(content, (plain) => {
        const frame = Buffer.alloc(plain.length + 1024)
        const length = kernels.compress(plain, frame) ?? -1
        expect(zstdDecompressSync(frame.subarray(0, length)).equals(plain)).toBe(true)
        const back = Buffer.alloc(plain.length)
        expect(kernels.decompress(frame.subarray(0, length), back)).toBe(plain.length)
        expect(back.equals(plain)).toBe(true)
      }),
    )
  })

  test('what does not fit is said, not written behind the end', () => {
    const plain = randomBytes(5000)
    const memory = Buffer.alloc(6000)
    expect(kernels.compress(plain, memory.subarray(0, 5000))).toBeUndefined()
    const length = kernels.compress(Buffer.alloc(5000), memory) ?? 0
    const frame = Buffer.from(memory.subarray(0, length))
    memory.fill(7)
    expect(kernels.decompress(frame, memory.subarray(0, 4999))).toBeUndefined()
    expect(memory.subarray(4999).every((byte) => byte === 7)).toBe(true)
  })

  test('what is no frame is said', () => {
    expect(kernels.decompress(randomBytes(100), Buffer.alloc(1000))).toBeUndefined()
    expect(kernels.decompress(Buffer.alloc(0), Buffer.alloc(1000)) ?? 0).toBe(0)
  })

  test('encryption is AES-256-CTR, in place too, and its own inverse', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300_000 }), fc.uint8Array({ minLength: 16, maxLength: 16 }), (plain, nonce) => {
        const expected = createCipheriv('aes-256-ctr', keys.encrypt, nonce).update(plain)
        const to = new Uint8Array(plain.length)
        kernels.crypt(keys, nonce, plain, to)
        expect(expected.equals(to)).toBe(true)
        kernels.crypt(keys, nonce, to, to)
        expect(Buffer.from(plain).equals(to)).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  test('authentication is Poly1305 with the key r ‖ AES128(nonce)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.uint8Array({ minLength: 16, maxLength: 16 }), (ciphertext, nonce) => {
        const s = createCipheriv('aes-128-ecb', keys.macK, null).setAutoPadding(false).update(nonce)
        const tag = new Uint8Array(16)
        kernels.authenticate(keys, nonce, ciphertext, tag)
        expect(Buffer.from(poly1305(Buffer.concat([keys.macR, s]), [ciphertext])).equals(tag)).toBe(true)
      }),
    )
  })
})
