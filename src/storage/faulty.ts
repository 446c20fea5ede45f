import { HoldfastError } from '../kernel/index.ts'
import { setTimeout as delay } from 'node:timers/promises'
import type { Backend, Leftover, ObjectKind } from './backend.ts'

export type Operation = 'list' | 'stat' | 'get' | 'put' | 'delete'

/**
 * What goes wrong, and when. The rule strikes from the `nth` matching call on (1 is the first, and the default), `times` times (default 1).
 *
 * error         the call fails and changes nothing
 * crash         as if the process were killed: `before` the call took effect or `after` it; every later call fails too
 * flip-bit      a get returns the object with one bit flipped, at `bit` counted from its start
 * truncate      a get returns only the first `keepBytes`, as a server might that closes early: the layers above must notice
 * delay         the call takes `ms` longer
 */
export interface FaultRule {
  readonly on: Operation
  readonly kind?: ObjectKind
  readonly name?: string
  readonly nth?: number
  readonly times?: number
  readonly fault:
    | { readonly type: 'error'; readonly error: HoldfastError }
    | { readonly type: 'crash'; readonly at: 'before' | 'after' }
    | { readonly type: 'flip-bit'; readonly bit: number }
    | { readonly type: 'truncate'; readonly keepBytes: number }
    | { readonly type: 'delay'; readonly ms: number }
}

/** A backend that fails by script, for the tests of every layer above. */
export function faulty(backend: Backend, script: readonly FaultRule[]): Backend {
  const seen = script.map(() => 0)
  let crashed = false

  /** The faults that strike this call, counted over all calls. */
  function strike(on: Operation, kind: ObjectKind, name?: string): FaultRule['fault'][] {
    if (crashed) throw crash()
    return script.flatMap((rule, at) => {
      const matches =
        rule.on === on && (rule.kind ?? kind) === kind && (rule.name === undefined || name === undefined || rule.name === name)
      if (!matches) return []
      const call = (seen[at] = (seen[at] ?? 0) + 1)
      const first = rule.nth ?? 1
      return call >= first && call < first + (rule.times ?? 1) ? [rule.fault] : []
    })
  }
  async function before(faults: readonly FaultRule['fault'][]): Promise<void> {
    for (const fault of faults) {
      if (fault.type === 'delay') await delay(fault.ms)
      if (fault.type === 'error') throw fault.error
      if (fault.type === 'crash' && fault.at === 'before') throw crash()
    }
  }
  function after(faults: readonly FaultRule['fault'][]): void {
    if (faults.some((fault) => fault.type === 'crash' && fault.at === 'after')) throw crash()
  }
  function crash(): HoldfastError {
    crashed = true
    return new HoldfastError('storage-failed', { message: 'the storage was lost by script' })
  }
  async function call<Result>(on: Operation, kind: ObjectKind, name: string, work: () => Promise<Result>): Promise<Result> {
    const faults = strike(on, kind, name)
    await before(faults)
    const result = await work()
    after(faults)
    return result
  }

  return {
    location: backend.location,
    ...(backend.occupancy && { occupancy: (signal) => backend.occupancy?.(signal) ?? Promise.resolve('empty' as const) }),
    ...(backend.prepare && { prepare: async (signal) => backend.prepare?.(signal) }),
    async *list(kind, prefix, signal) {
      const faults = strike('list', kind)
      await before(faults)
      yield* backend.list(kind, prefix, signal)
      after(faults)
    },
    stat: (kind, name, signal) => call('stat', kind, name, () => backend.stat(kind, name, signal)),
    async get(kind, name, options) {
      const faults = strike('get', kind, name)
      await before(faults)
      let bytes = await backend.get(kind, name, options)
      for (const fault of faults) {
        if (fault.type === 'truncate') bytes = bytes.slice(0, fault.keepBytes)
        if (fault.type === 'flip-bit') bytes = withFlippedBit(bytes, fault.bit)
      }
      after(faults)
      return bytes
    },
    put: (kind, name, bytes, options) => call('put', kind, name, () => backend.put(kind, name, bytes, options)),
    delete: (kind, name, signal) => call('delete', kind, name, () => backend.delete(kind, name, signal)),
    ...(backend.leftovers && { leftovers: (signal) => backend.leftovers?.(signal) ?? none() }),
    ...(backend.removeLeftover && { removeLeftover: async (name, signal) => backend.removeLeftover?.(name, signal) }),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  }
}

async function* none(): AsyncIterable<Leftover> {}

function withFlippedBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = new Uint8Array(bytes)
  const at = Math.floor(bit / 8)
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit % 8))
  return copy
}
