import { addressing, HoldfastError, nodeFfi, type Ffi } from '../../kernel/index.ts'
import { zstdLevel, type CipherKeys, type Kernels } from './contract.ts'

const zstdCompressionLevel = 100

/** Of zstd.h (since 1.4.0) and OpenSSL's evp.h (since 3.0), both of which Node brings and shows to its addons. */
const symbols = {
  ZSTD_createCCtx: { arguments: [], return: 'pointer' },
  ZSTD_createDCtx: { arguments: [], return: 'pointer' },
  ZSTD_CCtx_setParameter: { arguments: ['pointer', 'i32', 'i32'], return: 'u64' },
  ZSTD_compress2: { arguments: ['pointer', 'pointer', 'u64', 'pointer', 'u64'], return: 'u64' },
  ZSTD_decompressDCtx: { arguments: ['pointer', 'pointer', 'u64', 'pointer', 'u64'], return: 'u64' },
  ZSTD_isError: { arguments: ['u64'], return: 'u32' },
  EVP_CIPHER_fetch: { arguments: ['pointer', 'pointer', 'pointer'], return: 'pointer' },
  EVP_CIPHER_CTX_new: { arguments: [], return: 'pointer' },
  EVP_CIPHER_CTX_set_padding: { arguments: ['pointer', 'i32'], return: 'i32' },
  EVP_EncryptInit_ex2: { arguments: ['pointer', 'pointer', 'pointer', 'pointer', 'pointer'], return: 'i32' },
  EVP_EncryptUpdate: { arguments: ['pointer', 'pointer', 'pointer', 'pointer', 'i32'], return: 'i32' },
  EVP_MAC_fetch: { arguments: ['pointer', 'pointer', 'pointer'], return: 'pointer' },
  EVP_MAC_CTX_new: { arguments: ['pointer'], return: 'pointer' },
  EVP_MAC_init: { arguments: ['pointer', 'pointer', 'u64', 'pointer'], return: 'i32' },
  EVP_MAC_update: { arguments: ['pointer', 'pointer', 'u64'], return: 'i32' },
  EVP_MAC_final: { arguments: ['pointer', 'pointer', 'pointer', 'u64'], return: 'i32' },
} as const

/** OpenSSL counts in ints. */
const mostAtOnce = 1024 * 1024 * 1024
const none = 0n

/**
 * By the zstd and the OpenSSL that Node is linked with, called through node:ffi: contexts live as long as the thread, and nothing is
 * allocated or copied for a call. That halves the processor time of small blobs. Undefined where node:ffi is not there or not allowed, or
 * where this Node does not show these names.
 */
export function loadNativeKernels(): Kernels | undefined {
  const ffi = nodeFfi()
  if (ffi === undefined) return undefined
  try {
    return bind(ffi)
  } catch {
    return undefined
  }
}

function bind(ffi: Ffi): Kernels {
  const { functions: c } = ffi.dlopen(null, symbols)
  const at = addressing(ffi)
  const text = (value: string) => Buffer.from(`${value}\0`)
  const cipher = (name: string) => existing(c.EVP_CIPHER_fetch(none, at(text(name)), none), name)
  const compressor = existing(c.ZSTD_createCCtx(), 'zstd')
  const decompressor = existing(c.ZSTD_createDCtx(), 'zstd')
  const contentCipher = keyedCipher(cipher('AES-256-CTR'), ({ bytes }) => bytes.encrypt)
  const nonceCipher = keyedCipher(cipher('AES-128-ECB'), ({ bytes }) => bytes.macK)
  const mac = existing(c.EVP_MAC_CTX_new(existing(c.EVP_MAC_fetch(none, at(text('POLY1305')), none), 'POLY1305')), 'POLY1305')
  if (c.ZSTD_isError(c.ZSTD_CCtx_setParameter(compressor, zstdCompressionLevel, zstdLevel)) !== 0) throw new Error('zstd level')

  /** r ‖ s, and what a call says that it wrote. */
  const memory = new Uint8Array(4096)
  const oneTimeKey = memory.subarray(0, 32)
  const oneTimeKeyAt = ffi.getRawPointer(memory)
  const writtenAt = oneTimeKeyAt + 64n

  const size = (result: bigint) => (c.ZSTD_isError(result) === 0 ? Number(result) : undefined)

  /** Encrypts with a context that stays set up for the keys it was used with last: to set it up takes as long as a kilobyte. */
  function keyedCipher(kind: bigint, keyOf: (keys: CipherKeys) => Uint8Array) {
    const context = existing(c.EVP_CIPHER_CTX_new(), 'AES')
    let keyedFor: CipherKeys | undefined
    return (keys: CipherKeys, nonce: bigint, from: bigint, to: bigint, length: number) => {
      if (keyedFor !== keys) {
        keyedFor = undefined
        succeeded(c.EVP_EncryptInit_ex2(context, kind, at(keyOf(keys)), nonce, none))
        succeeded(c.EVP_CIPHER_CTX_set_padding(context, 0))
        keyedFor = keys
      } else if (nonce !== none) succeeded(c.EVP_EncryptInit_ex2(context, none, none, nonce, none))
      for (let done = 0; done < length; done += mostAtOnce) {
        const [offset, count] = [BigInt(done), Math.min(mostAtOnce, length - done)]
        succeeded(c.EVP_EncryptUpdate(context, to + offset, writtenAt, from + offset, count))
      }
    }
  }

  return {
    compress: (plain, target) =>
      size(c.ZSTD_compress2(compressor, at(target), BigInt(target.length), at(plain), BigInt(plain.length))),
    decompress: (frame, target) =>
      size(c.ZSTD_decompressDCtx(decompressor, at(target), BigInt(target.length), at(frame), BigInt(frame.length))),
    crypt(keys, nonce, from, to) {
      if (to.length !== from.length) throw new HoldfastError('internal', { message: 'no room for what is to be encrypted' })
      if (from.length > 0) contentCipher(keys, at(nonce), at(from), at(to), from.length)
    },
    authenticate(keys, nonce, ciphertext, tag) {
      oneTimeKey.set(keys.macR)
      nonceCipher(keys, none, at(nonce), oneTimeKeyAt + 16n, nonce.length)
      succeeded(c.EVP_MAC_init(mac, oneTimeKeyAt, 32n, none))
      if (ciphertext.length > 0) succeeded(c.EVP_MAC_update(mac, at(ciphertext), BigInt(ciphertext.length)))
      succeeded(c.EVP_MAC_final(mac, at(tag), writtenAt, 16n))
    },
  }
}

function existing(pointer: bigint, what: string): bigint {
  if (pointer === none) throw new HoldfastError('internal', { message: `this Node has no ${what}` })
  return pointer
}

function succeeded(result: number): void {
  if (result !== 1) throw new HoldfastError('internal', { message: 'OpenSSL refused to encrypt or to authenticate' })
}
