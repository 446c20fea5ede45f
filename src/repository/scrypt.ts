import { pbkdf2, scrypt as scryptOfNode } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { loadWasm } from '../threads/index.ts'

/** Cost of the key derivation: `N` a power of two above 1. It takes 128·N·r bytes of memory, and time in proportion to N·r·p. */
export interface KdfParameters {
  readonly N: number
  readonly r: number
  readonly p: number
}

interface RomixExports {
  heapBase(): number
  init(r: number, N: number): void
  arrange(): void
  fill(from: number, to: number): void
  mix(rounds: number): void
  restore(): void
  clear(): void
}

const hash = promisify(pbkdf2)
/** Some milliseconds' worth with r = 8: in between, the thread does what else it has to do. Even. */
const roundsAtOnce = 4096
const pageBytes = 64 * 1024

/**
 * scrypt (RFC 7914): `keyBytes` bytes from a password. The same as `scrypt` of Node's crypto, in half the processor time, as each command
 * on a repository begins with it: OpenSSL mixes word by word, this in vectors of WebAssembly. It runs in the calling thread, in slices.
 */
export async function scrypt(password: string, salt: Uint8Array, keyBytes: number, { N, r, p }: KdfParameters): Promise<Buffer> {
  const blockBytes = 128 * r
  const memory = allocate((N + 2) * blockBytes)
  // Not enough memory in one piece, or no WebAssembly memory at all (a limit on addresses): Node's may still do.
  if (memory === undefined) return scryptByNode(password, salt, keyBytes, { N, r, p })
  const module = await loadWasm(new URL('./scrypt.wasm', import.meta.url))
  const instance = await WebAssembly.instantiate(module, { env: { memory } })
  const wasm = instance.exports as unknown as RomixExports
  wasm.init(r, N)
  const x = new Uint8Array(memory.buffer, wasm.heapBase(), blockBytes)
  const blocks = await hash(password, salt, 1, p * blockBytes, 'sha256')
  for (let at = 0; at < blocks.length; at += blockBytes) {
    x.set(blocks.subarray(at, at + blockBytes))
    wasm.arrange()
    for (let i = 0; i < N; i += roundsAtOnce) {
      wasm.fill(i, Math.min(i + roundsAtOnce, N))
      await setImmediate()
    }
    for (let i = 0; i < N; i += roundsAtOnce) {
      wasm.mix(Math.min(roundsAtOnce, N))
      await setImmediate()
    }
    wasm.restore()
    blocks.set(x, at)
  }
  wasm.clear()
  return hash(password, blocks, 1, keyBytes, 'sha256')
}

function allocate(bytes: number): WebAssembly.Memory | undefined {
  try {
    // One page more: what the module itself needs lies before the heap.
    return new WebAssembly.Memory({ initial: Math.ceil(bytes / pageBytes) + 1 })
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

async function scryptByNode(password: string, salt: Uint8Array, keyBytes: number, kdf: KdfParameters): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const maxmem = 256 * kdf.r * (kdf.N + kdf.p + 2)
  scryptOfNode(password, salt, keyBytes, { ...kdf, maxmem }, (error, key) => {
    if (error) reject(error)
    else resolve(key)
  })
  return promise
}
