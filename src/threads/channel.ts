import type { MessagePort, Transferable, Worker } from 'node:worker_threads'
import { HoldfastError } from '../kernel/index.ts'
import { fromWire, toWire, type WireError } from './wire-error.ts'

/** The calls that one side of a channel answers: `{ add: { input: { a: number }; output: number } }`. */
export type Protocol<P> = { [Name in keyof P]: { input: unknown; output: unknown } }

export type Handlers<P extends Protocol<P>> = {
  readonly [Name in keyof P]: (
    input: P[Name]['input'],
  ) => P[Name]['output'] | Moved<P[Name]['output']> | Promise<P[Name]['output'] | Moved<P[Name]['output']>>
}

/** A result whose buffers are moved to the other thread instead of copied; they are empty on this side afterwards. */
export class Moved<Value> {
  readonly value: Value
  readonly transfer: Transferable[]

  constructor(value: Value, transfer: Transferable[]) {
    this.value = value
    this.transfer = transfer
  }
}

type Message =
  | { readonly call: number; readonly name: string; readonly input: unknown }
  | { readonly result: number; readonly value: unknown }
  | { readonly failed: number; readonly error: WireError }

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/**
 * Typed calls between two threads, both ways over one port. Calls are answered in any order; a handler that throws rejects the caller's
 * promise with the same HoldfastError. Messages are delivered in the order they were sent.
 */
export class Channel<Local extends Protocol<Local>, Remote extends Protocol<Remote>> {
  readonly #port: MessagePort | Worker
  readonly #handlers: Handlers<Local>
  readonly #waiting = new Map<number, Waiting>()
  #lastCall = 0
  #closed: unknown

  constructor(port: MessagePort | Worker, handlers: Handlers<Local>) {
    this.#port = port
    this.#handlers = handlers
    port.on('message', (message: Message) => this.#receive(message))
  }

  /** `transfer` moves buffers of the input instead of copying them. */
  call<Name extends keyof Remote & string>(
    name: Name,
    input: Remote[Name]['input'],
    transfer: Transferable[] = [],
  ): Promise<Remote[Name]['output']> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed)
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const call = ++this.#lastCall
    try {
      this.#post({ call, name, input }, transfer)
    } catch (error) {
      // It cannot be cloned or moved: nobody will answer.
      return Promise.reject(error)
    }
    this.#waiting.set(call, { resolve, reject })
    return promise
  }

  /** Rejects every call that waits, and all later ones, with `reason`. */
  close(reason: unknown): void {
    this.#closed ??= reason
    for (const { reject } of this.#waiting.values()) reject(this.#closed)
    this.#waiting.clear()
  }

  #receive(message: Message): void {
    if ('call' in message) {
      void this.#answer(message.call, message.name, message.input)
      return
    }
    const id = 'result' in message ? message.result : message.failed
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if ('result' in message) waiting?.resolve(message.value)
    else waiting?.reject(fromWire(message.error))
  }

  /** Never rejects: what goes wrong is the caller's to know. */
  async #answer(call: number, name: string, input: unknown): Promise<void> {
    try {
      const handler = Object.hasOwn(this.#handlers, name) ? this.#handlers[name as keyof Local] : undefined
      if (handler === undefined) throw new HoldfastError('internal', { message: `no handler for '${name}' in this thread` })
      const output = await handler(input)
      if (output instanceof Moved) this.#post({ result: call, value: output.value }, output.transfer)
      else this.#post({ result: call, value: output }, [])
    } catch (error) {
      this.#post({ failed: call, error: toWire(error) }, [])
    }
  }

  #post(message: Message, transfer: Transferable[]): void {
    this.#port.postMessage(message, transfer)
  }
}
