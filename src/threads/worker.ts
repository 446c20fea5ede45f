import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { HoldfastError } from '../kernel/index.ts'
import { Channel, type Handlers, type Protocol } from './channel.ts'

/**
 * The module of a worker, named without extension: beside the caller, `.ts` when run from source and `.js` when compiled. HOLDFAST_BUNDLE, of tests and
 * benchmarks, is the folder (with a slash at its end) of what was made of the same sources, which workers start from then.
 *
 * @example workerEntry('writer-worker', import.meta.url)
 */
export function workerEntry(name: string, importMetaUrl: string): URL {
  if (!importMetaUrl.endsWith('.ts')) return new URL(`./${name}.js`, importMetaUrl)
  const source = new URL(`./${name}.ts`, importMetaUrl)
  const bundle = process.env.HOLDFAST_BUNDLE
  if (bundle === undefined) return source
  return pathToFileURL(bundle + source.pathname.slice(source.pathname.lastIndexOf('/src/') + 5).replace(/ts$/, 'js'))
}

/**
 * Called once at the top of a worker's module: `start` gets the pool's workerData and the channel to the thread that started it, and gives
 * the handlers. Calls that arrive before `start` has finished wait for it.
 */
export async function serve<Local extends Protocol<Local>, Remote extends Protocol<Remote>, Data>(
  start: (data: Data, main: Pick<Channel<Local, Remote>, 'call'>) => Handlers<Local> | Promise<Handlers<Local>>,
): Promise<void> {
  const port = parentPort
  if (port === null) throw new HoldfastError('internal', { message: 'this module is a worker: it does not run by itself' })
  // The port buffers messages until a listener is there, which the channel's constructor adds.
  let channel: Channel<Local, Remote> | undefined
  const main: Pick<Channel<Local, Remote>, 'call'> = {
    call: (name, input, transfer) =>
      channel?.call(name, input, transfer) ??
      Promise.reject(new HoldfastError('internal', { message: 'a worker called out before it had started' })),
  }
  const handlers = await start(workerData as Data, main)
  channel = new Channel<Local, Remote>(port, handlers)
}
