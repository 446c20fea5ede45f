export { Moved, type Channel, type Handlers, type Protocol } from './channel.ts'
export { createPool, type PoolOptions, type PoolWorker, type WorkerPool } from './pool.ts'
export { loadWasm } from './wasm.ts'
export { serve, workerEntry } from './worker.ts'
