/**
 * Reads the JSON of an index file as restic and we write it, byte by byte and into plain records: JSON.parse would make several objects for
 * each of millions of blobs. Whatever is written in another way is refused, not guessed at: the caller has a reader for that.
 */

/** Of a record: 8 words of an id; then type (0 data, 1 tree), offset, length, uncompressed length; or for a pack PACK and its number of blobs. */
const RECORD: usize = 48
const PACK: u32 = 0xffffffff
const BAD: u8 = 0x80

const nibbles: usize = memory.data(256, 8)

/** Where the next byte is read; 0 after anything unexpected. */
let at: usize = 0
let end: usize = 0

/** Where free memory begins: the caller puts its data from here on. */
export function heapBase(): usize {
  for (let byte: usize = 0; byte < 256; byte++) {
    let value: u8 = BAD
    if (byte >= 0x30 && byte <= 0x39) value = <u8>(byte - 0x30)
    if (byte >= 0x61 && byte <= 0x66) value = <u8>(byte - 0x61 + 10)
    store<u8>(nibbles + byte, value)
  }
  return __heap_base
}

/**
 * Reads `length` bytes at `json` and puts a record for each pack, and behind it one for each of its blobs, to `target`, which must have room
 * for 2 bytes for every 3 of them. Gives the number of records, or −1 when it is written in another way.
 */
export function scan(json: usize, length: usize, target: usize): i32 {
  at = json
  end = json + length
  let out = target
  if (!skip('{"packs":[')) return -1
  while (!isNext(0x5d)) {
    if (out != target && !skip(',')) return -1
    const pack = out
    out += RECORD
    let blobs: u32 = 0
    if (!skip('{"id":"') || !id(pack) || !skip('","blobs":[')) return -1
    while (!isNext(0x5d)) {
      if (blobs > 0 && !skip(',')) return -1
      if (!blob(out)) return -1
      out += RECORD
      blobs++
    }
    if (!skip(']}')) return -1
    store<u32>(pack, PACK, 32)
    store<u32>(pack, blobs, 36)
  }
  if (!skip(']}')) return -1
  if (isNext(0x0a)) at++
  return at == end ? <i32>((out - target) / RECORD) : -1
}

function blob(target: usize): bool {
  if (!skip('{"id":"') || !id(target) || !skip('","type":"')) return false
  const isTree = isNext(0x74)
  if (!(isTree ? skip('tree","offset":') : skip('data","offset":'))) return false
  store<u32>(target, isTree ? 1 : 0, 32)
  if (!number(target + 36) || !skip(',"length":') || !number(target + 40)) return false
  store<u32>(target, 0, 44)
  if (isNext(0x7d)) {
    at++
    return true
  }
  return skip(',"uncompressed_length":') && number(target + 44) && skip('}')
}

function isNext(byte: u8): bool {
  return at < end && load<u8>(at) == byte
}

function skip(text: string): bool {
  const length = <usize>text.length
  if (at + length > end) return false
  const chars = changetype<usize>(text)
  for (let i: usize = 0; i < length; i++) if (load<u8>(at + i) != <u8>load<u16>(chars + (i << 1))) return false
  at += length
  return true
}

/** 64 digits of lower-case hex. */
function id(target: usize): bool {
  if (at + 64 > end) return false
  let seen: u8 = 0
  for (let i: usize = 0; i < 32; i++) {
    const high = load<u8>(nibbles + load<u8>(at + (i << 1)))
    const low = load<u8>(nibbles + load<u8>(at + (i << 1) + 1))
    seen |= high | low
    store<u8>(target + i, (high << 4) | low)
  }
  at += 64
  return (seen & BAD) == 0
}

/** An integer of 32 bits, written without zeros before it. */
function number(target: usize): bool {
  const start = at
  let value: u64 = 0
  while (at < end && at - start < 11) {
    const digit = load<u8>(at) - 0x30
    if (digit > 9) break
    value = value * 10 + digit
    at++
  }
  if (at == start || value > 0xffffffff || (at - start > 1 && load<u8>(start) == 0x30)) return false
  store<u32>(target, <u32>value)
  return true
}
