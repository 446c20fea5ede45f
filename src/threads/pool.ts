import { getCompileCacheDir } from 'node:module'
import { Worker, type Transferable } from 'node:worker_threads'
import { HoldfastError, messageOf } from '../kernel/index.ts'
import { Channel, type Handlers, type Protocol } from './channel.ts'

export interface PoolOptions<Local extends Protocol<Local>> {
  /** The worker's module: workerEntry('x-worker', import.meta.url). */
  readonly entry: URL
  readonly size: number
  /** Cloned to every worker; it reads it with serve(). Buffers that are to be shared must be SharedArrayBuffers. */
  readonly workerData: unknown
  /** What workers may ask of this thread. */
  readonly handlers: (workerIndex: number) => Handlers<Local>
}

/** One worker thread of a pool. */
export interface PoolWorker<Remote extends Protocol<Remote>> {
  readonly index: number
  /** Calls sent and not answered yet. */
  readonly pending: number
  call<Name extends keyof Remote & string>(
    name: Name,
    input: Remote[Name]['input'],
    transfer?: Transferable[],
  ): Promise<Remote[Name]['output']>
}

/** Threads that answer typed calls. Disposing ends them at once, whatever they do; calls that still wait are rejected. */
export interface WorkerPool<Remote extends Protocol<Remote>> extends AsyncDisposable {
  readonly workers: readonly PoolWorker<Remote>[]
  /** The worker with the fewest calls under way. */
  idlest(): PoolWorker<Remote>
}

/** Starts the workers. A worker that dies rejects its calls with `internal`, and so do all later ones to it. */
export function createPool<Local extends Protocol<Local>, Remote extends Protocol<Remote>>(
  options: PoolOptions<Local>,
): WorkerPool<Remote> {
  const started = Array.from({ length: options.size }, (_, index) => startWorker<Local, Remote>(options, index))
  const workers = started.map(({ worker }) => worker)
  const [first] = workers
  if (first === undefined) throw new HoldfastError('internal', { message: 'a worker pool needs at least one worker' })
  return {
    workers,
    idlest: () => workers.reduce((best, worker) => (worker.pending < best.pending ? worker : best), first),
    async [Symbol.asyncDispose]() {
      await Promise.all(started.map(({ end }) => end()))
    },
  }
}

function startWorker<Local extends Protocol<Local>, Remote extends Protocol<Remote>>(
  { entry, workerData, handlers }: PoolOptions<Local>,
  index: number,
): { worker: PoolWorker<Remote>; end: () => Promise<void> } {
  const cache = getCompileCacheDir()
  const thread = new Worker(entry, {
    workerData,
    // Threads do not inherit the cache of compiled modules: without it, each would compile all of its own again.
    env: { ...process.env, ...(cache !== undefined && { NODE_COMPILE_CACHE: cache }) },
    name: `${entry.pathname.split('/').at(-1)} ${index}`,
    // V8 would let short-lived objects pile up to several times this before it looks at them, in every thread.
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
  })
  const channel = new Channel<Local, Remote>(thread, handlers(index))
  let pending = 0
  thread.on('error', (error) =>
    channel.close(new HoldfastError('internal', { message: `a worker thread failed: ${messageOf(error)}`, cause: error })),
  )
  thread.on('exit', (code) =>
    channel.close(new HoldfastError('internal', { message: `a worker thread ended with code ${code} while it was needed` })),
  )
  return {
    worker: {
      index,
      get pending() {
        return pending
      },
      async call(name, input, transfer) {
        pending++
        try {
          return await channel.call(name, input, transfer)
        } finally {
          pending--
        }
      },
    },
    async end() {
      channel.close(new HoldfastError('interrupted', { message: 'the worker threads were ended' }))
      await thread.terminate()
    },
  }
}
