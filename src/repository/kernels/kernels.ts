import type { Kernels } from './contract.ts'
import { loadNativeKernels } from './native.ts'
import { portableKernels } from './portable.ts'

let loaded: Kernels | undefined

/** The fastest that this Node has, once for each thread. HOLDFAST_PORTABLE=1 keeps to Node's public interfaces. */
export function kernels(): Kernels {
  loaded ??= (process.env.HOLDFAST_PORTABLE === '1' ? undefined : loadNativeKernels()) ?? portableKernels
  return loaded
}
