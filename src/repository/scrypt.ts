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

interface Romix {
  heapBase(): number
  init(r: number, N: number): void
  arrange(): void
  fill(from: number, to: number): void
  mix(rounds: number): void
  restore(): void
  clear(): void
}

const hash = promisify(pbkdf2)
/** Mixed in some milliseconds: then the thread does what else it has to do. */
const bytesAtOnce = 4 * 1024 * 1024
const pageBytes = 64 * 1024

/**
 * scrypt (RFC 7914): `keyBytes` bytes from a password. The same as `scrypt` of Node's crypto, in two thirds of the processor time, as each
 * command on a repository begins with it: OpenSSL mixes word by word, this in vectors of WebAssembly. It runs in the calling thread, in slices.
 */
export async function scrypt(password: string, salt: Uint8Array, keyBytes: number, kdf: KdfParameters): Promise<Buffer> {
  const loaded = await loadRomix(kdf)
  if (loaded === undefined) return scryptByNode(password, salt, keyBytes, kdf)
  const { romix, x } = loaded
  const { N, r, p } = kdf
  const blockBytes = 128 * r
  // Even, as mix() wants it.
  const roundsAtOnce = Math.max(2, Math.floor(bytesAtOnce / blockBytes / 2) * 2)
  const breathe = breather()
  const blocks = await hash(password, salt, 1, p * blockBytes, 'sha256')
  for (let at = 0; at < blocks.length; at += blockBytes) {
    x.set(blocks.subarray(at, at + blockBytes))
    romix.arrange()
    for (let i = 0; i < N; i += roundsAtOnce) {
      const rounds = Math.min(roundsAtOnce, N - i)
      romix.fill(i, i + rounds)
      await breathe(rounds * blockBytes)
    }
    for (let i = 0; i < N; i += roundsAtOnce) {
      const rounds = Math.min(roundsAtOnce, N - i)
      romix.mix(rounds)
      await breathe(rounds * blockBytes)
    }
    romix.restore()
    blocks.set(x, at)
  }
  romix.clear()
  return hash(password, blocks, 1, keyBytes, 'sha256')
}

/** Lets others have their turn after every so many bytes. */
function breather(): (bytes: number) => Promise<void> | undefined {
  let since = 0
  return (bytes) => {
    since += bytes
    if (since < bytesAtOnce) return undefined
    since = 0
    return setImmediate()
  }
}

/**
 * Undefined where it cannot run: a processor without SSE 4.1, not enough memory in one piece, a limit on addresses. A repository must open there,
 * too.
 */
async function loadRomix({ N, r }: KdfParameters): Promise<{ romix: Romix; x: Uint8Array } | undefined> {
  try {
    const module = await loadWasm(new URL('./scrypt.wasm', import.meta.url))
    // One page more: what the module itself needs lies before the heap.
    const memory = new WebAssembly.Memory({ initial: Math.ceil(((N + 2) * 128 * r) / pageBytes) + 1 })
    const instance = await WebAssembly.instantiate(module, { env: { memory } })
    const romix = instance.exports as unknown as Romix
    romix.init(r, N)
    return { romix, x: new Uint8Array(memory.buffer, romix.heapBase(), 128 * r) }
  } catch {
    return undefined
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
