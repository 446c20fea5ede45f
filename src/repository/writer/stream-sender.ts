import { Places } from '../../kernel/index.ts'
import type { PoolWorker, WorkerPool } from '../../threads/index.ts'
import type { WriterCalls } from './calls.ts'
import type { SavedContent } from './contract.ts'

type Memory = Uint8Array<ArrayBuffer>

const memoryBytes = 1024 * 1024
/** Sent and not given back yet, for each stream: enough to keep a worker busy while the next is filled. */
const maxUnderWay = 3
const streamsPerWorker = 2

/** Sends streams to workers in pieces of 1 MiB whose memory goes round. A stream that fits one piece is one call. */
export class StreamSender {
  readonly #pool: WorkerPool<WriterCalls>
  readonly #free: Memory[] = []
  readonly #places: Places
  #lastStream = 0

  constructor(pool: WorkerPool<WriterCalls>) {
    this.#pool = pool
    this.#places = new Places(pool.workers.length * streamsPerWorker)
  }

  /** `check` throws when there is no use in going on. */
  async send(pieces: AsyncIterable<Uint8Array>, check: () => void): Promise<SavedContent> {
    using _ = await this.#places.take()
    return await this.#send(pieces, check)
  }

  async #send(pieces: AsyncIterable<Uint8Array>, check: () => void): Promise<SavedContent> {
    let memory = this.#take()
    let length = 0
    let open: OpenStream | undefined
    try {
      for await (const piece of pieces) {
        check()
        for (let offset = 0; offset < piece.length;) {
          if (length === memory.length) {
            open ??= new OpenStream(this.#pool.idlest(), ++this.#lastStream, this.#free)
            await open.send(memory, length)
            memory = this.#take()
            length = 0
          }
          const part = piece.subarray(offset, offset + memory.length - length)
          memory.set(part, length)
          length += part.length
          offset += part.length
        }
      }
      if (open !== undefined) {
        await open.send(memory, length)
        return await open.end()
      }
    } catch (error) {
      await open?.drop()
      throw error
    }
    const bytes = memory.slice(0, length)
    this.#free.push(memory)
    return await this.#pool.idlest().call('saveBytes', { bytes }, [bytes.buffer])
  }

  #take(): Memory {
    return this.#free.pop() ?? new Uint8Array(memoryBytes)
  }
}

/** A stream that is longer than one piece: it stays with one worker. */
class OpenStream {
  readonly #worker: PoolWorker<WriterCalls>
  readonly #stream: number
  readonly #free: Memory[]
  readonly #underWay: Promise<void>[] = []

  constructor(worker: PoolWorker<WriterCalls>, stream: number, free: Memory[]) {
    this.#worker = worker
    this.#stream = stream
    this.#free = free
  }

  async send(memory: Memory, length: number): Promise<void> {
    const sent = this.#worker
      .call('streamBytes', { stream: this.#stream, memory, length }, [memory.buffer])
      .then((memory) => void this.#free.push(memory))
    // Awaited below or in end(); until then its failure must not count as unhandled.
    sent.catch(() => {})
    this.#underWay.push(sent)
    if (this.#underWay.length >= maxUnderWay) await this.#underWay.shift()
  }

  async end(): Promise<SavedContent> {
    await Promise.all(this.#underWay)
    return await this.#worker.call('endStream', { stream: this.#stream })
  }

  async drop(): Promise<void> {
    await Promise.allSettled(this.#underWay)
    // The failure that brought us here is the one to tell.
    await this.#worker.call('dropStream', { stream: this.#stream }).catch(() => {})
  }
}
