import { readFile } from 'node:fs/promises'
import { HoldfastError, systemCode } from '../kernel/index.ts'

/** What is used of the WebAssembly interface: TypeScript declares it with the DOM only, which is not there. */
declare global {
  namespace WebAssembly {
    interface Module {
      readonly [Symbol.toStringTag]: 'WebAssembly.Module'
    }
    interface Memory {
      /** Replaced when the memory grows. */
      readonly buffer: ArrayBuffer
      /** By so many pages of 64 KiB. */
      grow(pages: number): number
    }
    interface Instance {
      readonly exports: Readonly<Record<string, unknown>>
    }
    const Memory: new (size: { initial: number }) => Memory
    function compile(bytes: Uint8Array): Promise<Module>
    function instantiate(module: Module, imports: Record<string, Record<string, unknown>>): Promise<Instance>
  }
}

const compiled = new Map<string, Promise<WebAssembly.Module>>()

/** Compiles a WASM module once per thread. It is made from AssemblyScript by `npm run build:wasm`, which `npm ci` runs. */
export function loadWasm(url: URL): Promise<WebAssembly.Module> {
  let module = compiled.get(url.href)
  if (module === undefined) {
    module = compile(url)
    compiled.set(url.href, module)
  }
  return module
}

async function compile(url: URL): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(await readFile(url))
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    throw new HoldfastError('internal', {
      message: `the compiled module ${url.pathname} is missing`,
      hint: 'run `npm run build:wasm` in the checkout',
      cause: error,
    })
  }
}
