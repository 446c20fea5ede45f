import { loadWasm } from '../../threads/index.ts'
import { decodeTree } from './decode.ts'
import type { TreeNode } from './node.ts'

const pageBytes = 64 * 1024
const recordsAtOnce = 256
/** Of assembly/tree-scanner.ts: in words of 4 bytes, and for 64-bit numbers in those of 8. */
const recordWords = 34
const recordLongs = 17
const noContent = 0xffff_ffff

/** Fields of a scanned node that are 32-bit numbers, 0 when they are absent. */
export const field = { start: 0, end: 1, kind: 2, mode: 5, uid: 6, gid: 7, content: 12, contentCount: 13, subtree: 14 } as const
/** Fields that are text without escapes. */
export const text = { name: 3, user: 8, group: 10, linkTarget: 15 } as const
/** 64-bit fields, 0 when they are absent: without a sign, but for times, which are in nanoseconds since 1970. */
export const long = {
  inode: 9,
  deviceId: 10,
  size: 11,
  links: 12,
  device: 13,
  mtime: 14,
  atime: 15,
  ctime: 16,
} as const
/** `odd` nodes have what few have, or are written in an unusual way: only `node` reads them. */
export const kinds = { odd: 0, file: 1, dir: 2, symlink: 3, dev: 4, chardev: 5, fifo: 6, socket: 7 } as const

interface ScannerExports {
  heapBase(): number
  begin(json: number, length: number): number
  next(target: number, most: number): number
  isAtEnd(): number
}

/**
 * Reads a tree's nodes one after the other without making an object for any: several times as fast as decodeTree, for those who look at
 * many and keep none. The fields are those of the current node.
 */
export class TreeScanner {
  readonly #memory: WebAssembly.Memory
  readonly #wasm: ScannerExports
  readonly #records: number
  readonly #json: number
  #bytes: Buffer
  #words: Uint32Array
  #times: BigInt64Array
  #counts: BigUint64Array
  #count = 0
  #current = -1
  #failed = false
  /** Those that follow. */
  #pieces: Iterator<Uint8Array> | undefined

  private constructor(memory: WebAssembly.Memory, wasm: ScannerExports) {
    this.#memory = memory
    this.#wasm = wasm
    this.#records = Math.ceil(wasm.heapBase() / 8) * 8
    this.#json = this.#records + recordsAtOnce * recordWords * 4
    this.#bytes = Buffer.from(memory.buffer)
    this.#words = new Uint32Array(memory.buffer)
    this.#times = new BigInt64Array(memory.buffer)
    this.#counts = new BigUint64Array(memory.buffer)
  }

  static async create(): Promise<TreeScanner> {
    const module = await loadWasm(new URL('../tree-scanner.wasm', import.meta.url))
    const memory = new WebAssembly.Memory({ initial: 4 })
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } })
    return new TreeScanner(memory, exports as unknown as ScannerExports)
  }

  /** Where the bytes of a tree are put before `begin`. */
  memory(bytes: number): Uint8Array {
    const missing = this.#json + bytes - this.#memory.buffer.byteLength
    if (missing > 0) {
      this.#memory.grow(Math.ceil(missing / pageBytes))
      this.#bytes = Buffer.from(this.#memory.buffer)
      this.#words = new Uint32Array(this.#memory.buffer)
      this.#times = new BigInt64Array(this.#memory.buffer)
      this.#counts = new BigUint64Array(this.#memory.buffer)
    }
    return new Uint8Array(this.#memory.buffer, this.#json, bytes)
  }

  /** Begins to read a tree that is there in pieces (treePieces): one after the other is put into `memory`. */
  beginPieces(pieces: Iterable<Uint8Array>): void {
    const iterator = pieces[Symbol.iterator]()
    this.begin(0)
    this.#pieces = iterator
    this.#nextPiece()
  }

  /** Begins to read the bytes that were put into `memory`. */
  begin(length: number): void {
    this.#pieces = undefined
    this.#failed = this.#wasm.begin(this.#json, length) === 0
    this.#count = 0
    this.#current = -1
  }

  /** Goes to the next node; false behind the last one, and when what follows is none. */
  next(): boolean {
    while (!this.#nextOfPiece()) if (this.#pieces === undefined || !this.isWhole || !this.#nextPiece()) return false
    return true
  }

  #nextPiece(): boolean {
    const { value, done } = this.#pieces?.next() ?? { done: true }
    if (done) return false
    this.memory(value.length).set(value)
    const pieces = this.#pieces
    this.begin(value.length)
    this.#pieces = pieces
    return true
  }

  #nextOfPiece(): boolean {
    if (++this.#current < this.#count) return true
    this.#current = 0
    this.#count = this.#failed ? 0 : this.#wasm.next(this.#records, recordsAtOnce)
    if (this.#count < 0) {
      this.#failed = true
      this.#count = 0
    }
    return this.#count > 0
  }

  /** After `next` has given false: whether that was the end of a whole tree. */
  get isWhole(): boolean {
    return !this.#failed && this.#wasm.isAtEnd() !== 0
  }

  word(index: number): number {
    return this.#words[(this.#records >>> 2) + this.#current * recordWords + index] ?? 0
  }

  long(index: number): bigint {
    const values = index < long.mtime ? this.#counts : this.#times
    return values[(this.#records >>> 3) + this.#current * recordLongs + index] ?? 0n
  }

  /** One character for each byte. */
  latin1(index: number): string {
    const start = this.word(index)
    return this.#bytes.toString('latin1', start, start + this.word(index + 1))
  }

  /** Undefined when the node has none, as all but files. */
  get contentCount(): number | undefined {
    const count = this.word(field.contentCount)
    return count === noContent ? undefined : count
  }

  /** Whether `test` is true for every id of the content: 64 digits of hex at an offset of what it is given. */
  everyBlob(test: (bytes: Uint8Array, at: number) => boolean): boolean {
    const [first, count] = [this.word(field.content), this.contentCount ?? 0]
    for (let blob = 0; blob < count; blob++) if (!test(this.#bytes, first + blob * 67)) return false
    return true
  }

  get subtree(): string {
    const at = this.word(field.subtree)
    return at === 0 ? '' : this.#bytes.toString('latin1', at, at + 64)
  }

  /** The current node as decodeTree reads it, of whatever kind. Throws as that does. */
  node(what: string): TreeNode {
    const [start, end] = [this.word(field.start), this.word(field.end)]
    const [node] = decodeTree(Buffer.concat([before, this.#bytes.subarray(start, end), after]), what)
    if (node === undefined) throw new RangeError('no node was scanned')
    return node
  }
}

const before = Buffer.from('{"nodes":[')
const after = Buffer.from(']}')
