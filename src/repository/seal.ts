import { createCipheriv, createDecipheriv, createSecretKey, randomFillSync, timingSafeEqual, type KeyObject } from 'node:crypto'
import { HoldfastError } from '../kernel/index.ts'
import { poly1305 } from './poly1305.ts'

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
export interface SealKeys {
  readonly encrypt: KeyObject
  readonly macK: KeyObject
  readonly macR: Uint8Array
}

/** Bytes that sealing adds: a nonce in front, a tag behind. */
export const sealOverheadBytes = 32
const ivBytes = 16
const macBytes = 16
/** Slices that stay in the processor's cache between encryption and authentication. */
const sliceBytes = 64 * 1024

export function sealKeys(master: MasterKey): SealKeys {
  return { encrypt: createSecretKey(master.encrypt), macK: createSecretKey(master.macK), macR: master.macR }
}

/**
 * Encrypts and authenticates, as restic does: `IV ‖ AES-256-CTR(plaintext) ‖ Poly1305-AES128(ciphertext)`, with a random IV.
 * Gives the stored form in pieces, not joined.
 */
export function sealPieces(keys: SealKeys, plaintext: Uint8Array, iv: Uint8Array = randomIv()): Uint8Array[] {
  const cipher = createCipheriv('aes-256-ctr', keys.encrypt, iv)
  const ciphertext: Uint8Array[] = []
  for (let at = 0; at < plaintext.length; at += sliceBytes)
    ciphertext.push(cipher.update(plaintext.subarray(at, at + sliceBytes)))
  return [iv, ...ciphertext, poly1305(oneTimeKey(keys, iv), ciphertext)]
}

/** As sealPieces, joined. */
export function seal(keys: SealKeys, plaintext: Uint8Array): Uint8Array {
  return Buffer.concat(sealPieces(keys, plaintext), plaintext.length + sealOverheadBytes)
}

/** The plaintext; undefined when the bytes do not authenticate with these keys. */
export function tryUnseal(keys: SealKeys, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < sealOverheadBytes) return undefined
  const iv = sealed.subarray(0, ivBytes)
  const ciphertext = sealed.subarray(ivBytes, sealed.length - macBytes)
  // restic never writes it and refuses it: it marks a nonce that was forgotten.
  if (iv.every((byte) => byte === 0)) return undefined
  const expected = poly1305(oneTimeKey(keys, iv), [ciphertext])
  if (!timingSafeEqual(expected, sealed.subarray(sealed.length - macBytes))) return undefined
  return createDecipheriv('aes-256-ctr', keys.encrypt, iv).update(ciphertext)
}

/** The plaintext. Throws `object-damaged`, saying `what` it was, when the bytes do not authenticate. */
export function unseal(keys: SealKeys, sealed: Uint8Array, what = 'a sealed object'): Uint8Array {
  const plaintext = tryUnseal(keys, sealed)
  if (plaintext !== undefined) return plaintext
  throw new HoldfastError('object-damaged', {
    message: `${what} does not authenticate: its ${sealed.length} bytes were altered or truncated`,
    hint: 'run `holdfast check --read-data` to see what else is damaged',
    details: { what, sizeBytes: sealed.length },
  })
}

function oneTimeKey(keys: SealKeys, iv: Uint8Array): Uint8Array {
  const s = createCipheriv('aes-128-ecb', keys.macK, null).update(iv)
  return Buffer.concat([keys.macR, s])
}

function randomIv(): Uint8Array {
  // Not from the pool: it lives as long as the pieces do.
  return randomFillSync(new Uint8Array(ivBytes))
}
