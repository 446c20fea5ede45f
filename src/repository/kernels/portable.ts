import { createCipheriv } from 'node:crypto'
import { isHoldfastError } from '../../kernel/index.ts'
import { poly1305 } from '../poly1305.ts'
import { zstdCompress, zstdDecompress } from '../zstd.ts'
import type { Kernels } from './contract.ts'

/** Slices that stay in the processor's cache between encryption and authentication. */
const sliceBytes = 64 * 1024

/** By Node's own zlib and crypto. Each call allocates what it gives and copies it. */
export const portableKernels: Kernels = {
  compress(plain, target) {
    const frame = zstdCompress(plain)
    if (frame.length > target.length) return undefined
    target.set(frame)
    return frame.length
  },
  decompress(frame, target) {
    try {
      const plain = zstdDecompress(frame, target.length)
      target.set(plain)
      return plain.length
    } catch (error) {
      if (!isHoldfastError(error, 'object-damaged')) throw error
      return undefined
    }
  },
  crypt({ encrypt }, nonce, from, to) {
    const cipher = createCipheriv('aes-256-ctr', encrypt, nonce)
    for (let at = 0; at < from.length; at += sliceBytes) to.set(cipher.update(from.subarray(at, at + sliceBytes)), at)
  },
  authenticate({ macK, macR }, nonce, ciphertext, tag) {
    const s = createCipheriv('aes-128-ecb', macK, null).update(nonce)
    tag.set(poly1305(Buffer.concat([macR, s]), [ciphertext]))
  },
}
