import { randomBytes } from 'node:crypto'
import { loadNativeKernels } from '../../src/repository/kernels/native.ts'
import { portableKernels } from '../../src/repository/kernels/portable.ts'
import { sealKeys } from '../../src/repository/seal.ts'

/** Run with --expose-gc: memory that nobody but a native call knows of would be collected, and the heap be damaged. */
const native = loadNativeKernels()
const collect: unknown = Reflect.get(globalThis, 'gc')
if (native === undefined || typeof collect !== 'function') throw new Error('no native kernels, or no gc()')

for (let round = 0; round < 2000; round++) {
  const keys = sealKeys({ encrypt: randomBytes(32), macK: randomBytes(16), macR: randomBytes(16) })
  const plain = new Uint8Array(1 + (round % 300)).fill(round)
  const [one, other] = [native, portableKernels].map((kernels) => {
    const nonce = new Uint8Array(16).fill(round)
    const sealed = new Uint8Array(plain.length)
    const tag = new Uint8Array(16)
    kernels.crypt(keys, nonce, plain, sealed)
    kernels.authenticate(keys, nonce, sealed, tag)
    const frame = new Uint8Array(plain.length + 200)
    const length = kernels.compress(plain, frame)
    const back = new Uint8Array(plain.length)
    kernels.decompress(frame.subarray(0, length), back)
    return Buffer.concat([sealed, tag, back])
  })
  if (one === undefined || other === undefined || !one.equals(other)) throw new Error(`round ${round} differs`)
  if (round % 50 === 0) Reflect.apply(collect, undefined, [])
}
console.log('all the same')
