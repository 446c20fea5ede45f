/**
 * Content-defined chunking with Rabin fingerprints, cutting exactly where restic does (github.com/restic/chunker): chunks of 512 KiB to
 * 8 MiB, cut where the lowest 20 bits of the fingerprint of the last 64 bytes are zero.
 *
 * A chunk's first MIN − 64 bytes are skipped: no cut can depend on them. The fingerprint depends on nothing but the last 64 bytes, so long
 * input is scanned in three lanes at once, which hides the latency of the table look-ups.
 */

const WINDOW: i32 = 64
const MIN: i32 = 512 * 1024
const MAX: i32 = 8 * 1024 * 1024
const MASK: u64 = (1 << 20) - 1
/** Bytes that each lane scans at a time. What lies behind a cut is scanned in vain, so it is small beside the average chunk. */
const LANE: i32 = 16 * 1024

const outTable: usize = memory.data(256 * 8, 8)
const modTable: usize = memory.data(256 * 8, 8)
/** The last 64 bytes hashed, oldest first; kept between calls only. */
const tail: usize = memory.data(64, 8)

let shift: u64 = 45
/** Bytes of the current chunk so far. */
let count: i32 = 0
let digest: u64 = 0

/** Where free memory begins: the caller puts its data from here on. */
export function heapBase(): usize {
  return __heap_base
}

/** Computes the tables for an irreducible polynomial of degree 53, and begins a chunk. */
export function init(polynomial: u64): void {
  const degree = 63 - clz<u64>(polynomial)
  shift = degree - 8
  for (let b = 0; b < 256; b++) {
    let hash: u64 = reduce(<u64>b, polynomial, degree)
    for (let i = 0; i < WINDOW - 1; i++) hash = reduce(hash << 8, polynomial, degree)
    store<u64>(outTable + ((<usize>b) << 3), hash)
    const high = (<u64>b) << degree
    store<u64>(modTable + ((<usize>b) << 3), reduce(high, polynomial, degree) | high)
  }
  reset()
}

/** Forgets the chunk under way. */
export function reset(): void {
  count = 0
}

/** Reads on in the current chunk. Gives the number of bytes up to its end, at which the next one begins, or −1 if it goes on past `length`. */
export function scan(data: usize, length: i32): i32 {
  let position: i32 = 0
  if (count < MIN - WINDOW) {
    const skip = min<i32>(MIN - WINDOW - count, length)
    position += skip
    count += skip
    if (count < MIN - WINDOW) return -1
    memory.fill(tail, 0, WINDOW)
    digest = 0
    // restic's chunker slides one byte of value 1 into the fresh window; it has left again before the first possible cut.
    push(1)
  }
  // The oldest byte of the window is still in `tail` for the first 64 bytes.
  const start = position
  while (position < length && position - start < WINDOW) {
    const byte = load<u8>(data + position)
    const oldest = load<u8>(tail + (position - start))
    digest = slide(digest, oldest, byte)
    position++
    count++
    if ((count >= MIN && (digest & MASK) == 0) || count >= MAX) return cut(position)
  }
  const hashed = position - start
  if (hashed < WINDOW) {
    // All of this input fits the window: keep it behind what is left of the old tail.
    memory.copy(tail, tail + hashed, WINDOW - hashed)
    memory.copy(tail + (WINDOW - hashed), data + start, hashed)
    return -1
  }
  const end = position + min<i32>(length - position, MAX - count)
  while (end - position >= 3 * LANE) {
    const found = scanLanes(data + position)
    if (found >= 0) return cut(position + found)
    position += 3 * LANE
    count += 3 * LANE
  }
  while (position < end) {
    digest = slide(digest, load<u8>(data + position - WINDOW), load<u8>(data + position))
    position++
    count++
    if ((digest & MASK) == 0) return cut(position)
  }
  if (count >= MAX) return cut(position)
  memory.copy(tail, data + position - WINDOW, WINDOW)
  return -1
}

/** Scans 3 · LANE bytes in lanes. Gives the bytes up to the first cut, or −1; then `digest` is that after the last byte. */
function scanLanes(data: usize): i32 {
  const second = data + LANE
  const third = data + 2 * LANE
  let a = digest
  let b = fingerprint(second)
  let c = fingerprint(third)
  let inSecond = -1
  let inThird = -1
  for (let i: usize = 0; i < <usize>LANE; i++) {
    a = slide(a, load<u8>(data + i - WINDOW), load<u8>(data + i))
    b = slide(b, load<u8>(second + i - WINDOW), load<u8>(second + i))
    c = slide(c, load<u8>(third + i - WINDOW), load<u8>(third + i))
    if ((a & MASK) == 0) return <i32>i + 1
    if ((b & MASK) == 0 && inSecond < 0) inSecond = LANE + <i32>i + 1
    if ((c & MASK) == 0 && inThird < 0) inThird = 2 * LANE + <i32>i + 1
  }
  digest = c
  return inSecond >= 0 ? inSecond : inThird
}

/** Of the 64 bytes before `data`. */
function fingerprint(data: usize): u64 {
  let hash: u64 = 0
  for (let p = data - WINDOW; p < data; p++) hash = append(hash, load<u8>(p))
  return hash
}

function cut(position: i32): i32 {
  count = 0
  return position
}

/** Used on a fresh window only: the byte that leaves is zero, and the fingerprint so far is zero too. */
function push(byte: u8): void {
  memory.copy(tail, tail + 1, WINDOW - 1)
  store<u8>(tail + WINDOW - 1, byte)
  digest = append(digest, byte)
}

function slide(hash: u64, oldest: u8, byte: u8): u64 {
  return append(hash ^ load<u64>(outTable + ((<usize>oldest) << 3)), byte)
}

function append(hash: u64, byte: u8): u64 {
  return ((hash << 8) | <u64>byte) ^ load<u64>(modTable + ((<usize>(hash >> shift)) << 3))
}

/** The remainder of a polynomial over GF(2). */
function reduce(value: u64, polynomial: u64, degree: u64): u64 {
  while (value != 0) {
    const valueDegree = 63 - clz<u64>(value)
    if (valueDegree < degree) break
    value ^= polynomial << (valueDegree - degree)
  }
  return value
}
