import type { KeyObject } from 'node:crypto'

/** What AES-256-CTR and Poly1305-AES need: AES-256 of 32 bytes, AES-128 of 16, and Poly1305's r of 16. */
export interface CipherKeys {
  readonly encrypt: KeyObject
  readonly macK: KeyObject
  readonly macR: Uint8Array
  /** The same two keys, as bytes. */
  readonly bytes: { readonly encrypt: Uint8Array; readonly macK: Uint8Array }
}

/**
 * The work on bytes that a backup and a restore mostly consist of, in memory that the caller brings: one suite, two implementations, which
 * give the same bytes. Both are synchronous, and for one thread.
 */
export interface Kernels {
  /** A zstd frame of `plain`, with its size, in `target`: its bytes, or undefined when `target` has no room for it. */
  compress(plain: Uint8Array, target: Uint8Array): number | undefined
  /** The content of a zstd frame in `target`: its bytes, or undefined when it is none, or its content has no room. */
  decompress(frame: Uint8Array, target: Uint8Array): number | undefined
  /** AES-256-CTR, either way; `to` has the length of `from` and may be the same memory. */
  crypt(keys: CipherKeys, nonce: Uint8Array, from: Uint8Array, to: Uint8Array): void
  /** Poly1305-AES128 of the ciphertext, 16 bytes into `tag`. */
  authenticate(keys: CipherKeys, nonce: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): void
}

/** restic's `auto`. */
export const zstdLevel = 3
