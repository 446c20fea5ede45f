/**
 * Reads the JSON of a tree as restic and we write it, node by node and into plain records: JSON.parse and what becomes of its objects take
 * most of the time of a backup of a million files of which none has changed. A node that is written in any other way, or has what few
 * have, is only measured and marked `odd`: the caller has a reader for those.
 */

// A record. Offsets are from the beginning of the memory.
const START: usize = 0
const END: usize = 4
const KIND: usize = 8
const NAME: usize = 12
const NAME_LENGTH: usize = 16
const MODE: usize = 20
const UID: usize = 24
const GID: usize = 28
const USER: usize = 32
const USER_LENGTH: usize = 36
const GROUP: usize = 40
const GROUP_LENGTH: usize = 44
const CONTENT: usize = 48
const CONTENT_COUNT: usize = 52
const SUBTREE: usize = 56
const TARGET: usize = 60
const TARGET_LENGTH: usize = 64
const INODE: usize = 72
const DEVICE_ID: usize = 80
const SIZE: usize = 88
const LINKS: usize = 96
const DEVICE: usize = 104
const MTIME: usize = 112
const ATIME: usize = 120
const CTIME: usize = 128
const RECORD: usize = 136

const ODD: u32 = 0
const NO_CONTENT: u32 = 0xffffffff
const NS: i64 = 1000000000

let at: usize = 0
let end: usize = 0
let isFirst: bool = true

/** Where free memory begins: the caller puts its data from here on. */
export function heapBase(): usize {
  return __heap_base
}

/** Begins a tree of `length` bytes at `json`; false when it does not begin like one. */
export function begin(json: usize, length: usize): bool {
  at = json
  end = json + length
  isFirst = true
  return skip('{"nodes":[')
}

/** Whether all of the tree was read: to its very end. */
export function isAtEnd(): bool {
  const before = at
  const whole = skip(']}')
  if (whole && at < end && load<u8>(at) == 0x0a) at++
  const done = whole && at == end
  at = before
  return done
}

/** Puts up to `most` records to `target`. Gives how many: fewer at the end, or −1 when it is no list of JSON objects. */
export function next(target: usize, most: i32): i32 {
  let count = 0
  let out = target
  while (count < most) {
    if (at < end && load<u8>(at) == 0x5d) return count
    if (!isFirst && !skip(',')) return -1
    isFirst = false
    if (at >= end || load<u8>(at) != 0x7b) return -1
    const start = at
    memory.fill(out, 0, RECORD)
    if (!node(out)) {
      at = start
      memory.fill(out, 0, RECORD)
      if (!skipObject()) return -1
      store<u32>(out, ODD, KIND)
    }
    store<u32>(out, <u32>start, START)
    store<u32>(out, <u32>at, END)
    out += RECORD
    count++
  }
  return count
}

function node(out: usize): bool {
  if (!skip('{"name":') || !plainText(out + NAME) || !kind(out)) return false
  if (skip(',"mode":') && !u32Number(out + MODE)) return false
  const mtime = at + 10
  if (!skip(',"mtime":"') || !time(out + MTIME)) return false
  const length = at - mtime
  if (!skip(',"atime":"')) return false
  // Nearly always the same text.
  if (at + length <= end && memory.compare(at, mtime, length) == 0) {
    at += length
    store<i64>(out, load<i64>(out, MTIME), ATIME)
  } else if (!time(out + ATIME)) return false
  if (!skip(',"ctime":"') || !time(out + CTIME)) return false
  if (!skip(',"uid":') || !u32Number(out + UID) || !skip(',"gid":') || !u32Number(out + GID)) return false
  if (skip(',"user":') && !plainText(out + USER)) return false
  if (skip(',"group":') && !plainText(out + GROUP)) return false
  if (skip(',"inode":') && !u64Number(out + INODE)) return false
  if (skip(',"device_id":') && !u64Number(out + DEVICE_ID)) return false
  if (skip(',"size":') && !u64Number(out + SIZE)) return false
  if (skip(',"links":') && !u64Number(out + LINKS)) return false
  if (skip(',"linktarget":') && !plainText(out + TARGET)) return false
  if (skip(',"device":') && !u64Number(out + DEVICE)) return false
  if (!skip(',"content":') || !content(out)) return false
  if (skip(',"subtree":"')) {
    store<u32>(out, <u32>at, SUBTREE)
    if (!id()) return false
  }
  return skip('}')
}

function kind(out: usize): bool {
  if (!skip(',"type":"')) return false
  let found: u32 = 0
  if (skip('file"')) found = 1
  else if (skip('dir"')) found = 2
  else if (skip('symlink"')) found = 3
  else if (skip('dev"')) found = 4
  else if (skip('chardev"')) found = 5
  else if (skip('fifo"')) found = 6
  else if (skip('socket"')) found = 7
  store<u32>(out, found, KIND)
  return found != 0
}

function content(out: usize): bool {
  if (skip('null')) {
    store<u32>(out, NO_CONTENT, CONTENT_COUNT)
    return true
  }
  if (!skip('[')) return false
  store<u32>(out, <u32>(at + 1), CONTENT)
  let count: u32 = 0
  while (!skip(']')) {
    if (count > 0 && !skip(',')) return false
    if (!skip('"') || !id()) return false
    count++
  }
  store<u32>(out, count, CONTENT_COUNT)
  return true
}

/** 64 digits of lower-case hex and a quotation mark. */
function id(): bool {
  if (at + 65 > end) return false
  for (let i: usize = 0; i < 64; i++) {
    const byte = load<u8>(at + i)
    if (!((byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66))) return false
  }
  at += 64
  return skip('"')
}

/** A string without escapes, in quotation marks: where it is and how long. */
function plainText(target: usize): bool {
  if (!skip('"')) return false
  const start = at
  while (at < end) {
    const byte = load<u8>(at)
    if (byte == 0x22) {
      store<u32>(target, <u32>start)
      store<u32>(target, <u32>(at - start), 4)
      at++
      return true
    }
    if (byte == 0x5c || byte < 0x20) return false
    at++
  }
  return false
}

function u32Number(target: usize): bool {
  const value = number()
  if (value > 0xffffffff) return false
  store<u32>(target, <u32>value)
  return true
}

function u64Number(target: usize): bool {
  const value = number()
  if (value == u64.MAX_VALUE) return false
  store<u64>(target, value)
  return true
}

/** Below 10¹⁹; the largest of all when it is none of these. */
function number(): u64 {
  const start = at
  let value: u64 = 0
  while (at < end && at - start < 20) {
    const digit = load<u8>(at) - 0x30
    if (digit > 9) break
    value = value * 10 + digit
    at++
  }
  const digits = at - start
  if (digits == 0 || digits > 19 || (digits > 1 && load<u8>(start) == 0x30)) return u64.MAX_VALUE
  return value
}

/** RFC 3339, of the years 1700 to 2199, and the quotation mark behind it: nanoseconds since 1970. */
function time(target: usize): bool {
  if (at + 21 > end) return false
  const year = digits(0, 4)
  const month = digits(5, 2)
  const day = digits(8, 2)
  const hour = digits(11, 2)
  const minute = digits(14, 2)
  const second = digits(17, 2)
  if ((year | month | day | hour | minute | second) < 0) return false
  if (!is(4, 0x2d) || !is(7, 0x2d) || !is(10, 0x54) || !is(13, 0x3a) || !is(16, 0x3a)) return false
  if (year < 1700 || year > 2199 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return false
  if (hour > 23 || minute > 59 || second > 59) return false
  at += 19
  let fraction: i64 = 0
  if (skip('.')) {
    const start = at
    while (at < end && at - start < 10) {
      const digit = load<u8>(at) - 0x30
      if (digit > 9) break
      fraction = fraction * 10 + digit
      at++
    }
    let places = <i32>(at - start)
    if (places == 0 || places > 9) return false
    for (; places < 9; places++) fraction *= 10
  }
  let offset: i64 = 0
  if (!skip('Z')) {
    const sign = at < end ? load<u8>(at) : 0
    if ((sign != 0x2b && sign != 0x2d) || at + 7 > end || !is(3, 0x3a)) return false
    const hours = digits(1, 2)
    const minutes = digits(4, 2)
    if ((hours | minutes) < 0 || hours > 23 || minutes > 59) return false
    offset = <i64>(hours * 60 + minutes) * 60
    if (sign == 0x2d) offset = -offset
    at += 6
  }
  const seconds = <i64>daysSince1970(year, month, day) * 86400 + <i64>(hour * 3600 + minute * 60 + second) - offset
  store<i64>(target, seconds * NS + fraction)
  return skip('"')
}

function is(offset: usize, byte: u8): bool {
  return load<u8>(at + offset) == byte
}

/** Negative when they are none. */
function digits(offset: usize, count: usize): i32 {
  let value = 0
  for (let i: usize = 0; i < count; i++) {
    const digit = <i32>load<u8>(at + offset + i) - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

function daysIn(year: i32, month: i32): i32 {
  if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31
}

/** Of the Gregorian calendar; a year is counted from March, so that the day that some have more comes last. */
function daysSince1970(year: i32, month: i32, day: i32): i32 {
  const y = month <= 2 ? year - 1 : year
  const era = y / 400
  const yearOfEra = y - era * 400
  const dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
  return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468
}

/** Any JSON object, without looking at more than where its strings and brackets end. */
function skipObject(): bool {
  let depth = 0
  while (at < end) {
    const byte = load<u8>(at++)
    if (byte == 0x22) {
      while (at < end && load<u8>(at) != 0x22) at += load<u8>(at) == 0x5c ? 2 : 1
      if (at >= end) return false
      at++
    } else if (byte == 0x7b || byte == 0x5b) depth++
    else if (byte == 0x7d || byte == 0x5d) {
      if (--depth == 0) return true
    }
  }
  return false
}

function skip(text: string): bool {
  const length = <usize>text.length
  if (at + length > end) return false
  const chars = changetype<usize>(text)
  for (let i: usize = 0; i < length; i++) if (load<u8>(at + i) != <u8>load<u16>(chars + (i << 1))) return false
  at += length
  return true
}
