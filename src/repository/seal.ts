import { createSecretKey, randomFillSync, timingSafeEqual } from 'node:crypto'
import { HoldfastError } from '../kernel/index.ts'
import type { CipherKeys } from './kernels/contract.ts'
import { kernels } from './kernels/kernels.ts'

/** The secrets of a repository, as its key files wrap them. Plain bytes: may be passed to a worker thread. */
export interface MasterKey {
  /** AES-256, 32 bytes. */
  readonly encrypt: Uint8Array
  /** AES-128, 16 bytes: turns a nonce into the second half of a Poly1305 key. */
  readonly macK: Uint8Array
  /** Poly1305's r, 16 bytes, masked or not. */
  readonly macR: Uint8Array
}

/** A master key in the form that is fast to use. */
export type SealKeys = CipherKeys

/** Bytes that sealing adds: a nonce in front, a tag behind. */
export const sealOverheadBytes = 32
export const ivBytes = 16
const macBytes = 16

export function sealKeys({ encrypt, macK, macR }: MasterKey): SealKeys {
  return { encrypt: createSecretKey(encrypt), macK: createSecretKey(macK), macR, bytes: { encrypt, macK } }
}

/**
 * Encrypts and authenticates, as restic does: `IV ‖ AES-256-CTR(plaintext) ‖ Poly1305-AES128(ciphertext)`, with a random IV.
 * `target` has 32 bytes more than the plaintext, which may lie in it already, behind the first 16.
 */
export function sealInto(keys: SealKeys, plaintext: Uint8Array, target: Uint8Array, nonce: Uint8Array = randomIv()): void {
  const end = ivBytes + plaintext.length
  const iv = target.subarray(0, ivBytes)
  const ciphertext = target.subarray(ivBytes, end)
  iv.set(nonce)
  kernels().crypt(keys, iv, plaintext, ciphertext)
  kernels().authenticate(keys, iv, ciphertext, target.subarray(end, end + macBytes))
}

/** As sealInto, in memory of its own. */
export function seal(keys: SealKeys, plaintext: Uint8Array, nonce?: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(plaintext.length + sealOverheadBytes)
  sealInto(keys, plaintext, sealed, nonce)
  return sealed
}

/** The plaintext, in `memory` when it fits there; undefined when the bytes do not authenticate with these keys. */
export function tryUnseal(keys: SealKeys, sealed: Uint8Array, memory?: Uint8Array): Uint8Array | undefined {
  if (sealed.length < sealOverheadBytes) return undefined
  const iv = sealed.subarray(0, ivBytes)
  const ciphertext = sealed.subarray(ivBytes, sealed.length - macBytes)
  // restic never writes it and refuses it: it marks a nonce that was forgotten.
  if (iv.every((byte) => byte === 0)) return undefined
  kernels().authenticate(keys, iv, ciphertext, expected)
  if (!timingSafeEqual(expected, sealed.subarray(sealed.length - macBytes))) return undefined
  const { length } = ciphertext
  const plaintext = memory !== undefined && memory.length >= length ? memory.subarray(0, length) : new Uint8Array(length)
  kernels().crypt(keys, iv, ciphertext, plaintext)
  return plaintext
}

/** The plaintext. Throws `object-damaged`, saying `what` it was, when the bytes do not authenticate. */
export function unseal(keys: SealKeys, sealed: Uint8Array, what = 'a sealed object', memory?: Uint8Array): Uint8Array {
  const plaintext = tryUnseal(keys, sealed, memory)
  if (plaintext !== undefined) return plaintext
  throw new HoldfastError('object-damaged', {
    message: `${what} does not authenticate: its ${sealed.length} bytes were altered or truncated`,
    hint: 'run `holdfast check --read-data` to see what else is damaged',
    details: { what, sizeBytes: sealed.length },
  })
}

const expected = new Uint8Array(macBytes)
const ivs = new Uint8Array(256 * ivBytes)
let ivsUsed = ivs.length

/** Asking for many at a time costs little more than asking for one. */
function randomIv(): Uint8Array {
  if (ivsUsed === ivs.length) {
    randomFillSync(ivs)
    ivsUsed = 0
  }
  ivsUsed += ivBytes
  return ivs.subarray(ivsUsed - ivBytes, ivsUsed)
}
