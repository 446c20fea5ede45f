/**
 * The part of scrypt that takes the time: scryptROMix (RFC 7914, section 5).
 *
 * The 16 words of 64 bytes lie in the order of the diagonals of Salsa's 4 × 4 matrix (0 5 10 15, 4 9 14 3, 8 13 2 7, 12 1 6 11): each step
 * of Salsa20/8 is then one operation on vectors.
 *
 * In memory from heapBase on, of 128·r bytes each: X, where a block is put and where it comes out, Y, and the N of V.
 */

/** 128·r. */
let blockBytes: usize = 0
let mask: u32 = 0

export function heapBase(): usize {
  return __heap_base
}

export function init(r: u32, n: u32): void {
  blockBytes = (<usize>r) << 7
  mask = n - 1
}

/** Brings X into the order of the diagonals. */
export function arrange(): void {
  const x = __heap_base
  const y = x + blockBytes
  memory.copy(y, x, blockBytes)
  for (let at: usize = 0; at < blockBytes; at += 64)
    for (let i: usize = 0; i < 16; i++) store<u32>(x + at + (i << 2), load<u32>(y + at + (((i * 5) & 15) << 2)))
}

/** Brings X back into its own order. */
export function restore(): void {
  const x = __heap_base
  const y = x + blockBytes
  memory.copy(y, x, blockBytes)
  for (let at: usize = 0; at < blockBytes; at += 64)
    for (let i: usize = 0; i < 16; i++) store<u32>(x + at + (((i * 5) & 15) << 2), load<u32>(y + at + (i << 2)))
}

/** Leaves nothing of the blocks in memory. */
export function clear(): void {
  memory.fill(__heap_base, 0, (<usize>mask + 3) * blockBytes)
}

/** The first loop: V[i] ← X, X ← BlockMix(X), for i from `from` to before `to`. */
export function fill(from: u32, to: u32): void {
  const x = __heap_base
  const v = x + 2 * blockBytes
  if (from == 0) memory.copy(v, x, blockBytes)
  for (let i = from; i < to; i++) {
    const source = v + <usize>i * blockBytes
    blockMix(source, i == mask ? x : source + blockBytes)
  }
}

/** The second loop, `rounds` times, an even number: X ← BlockMix(X ⊕ V[j]), with j from the last 64 bytes of X. */
export function mix(rounds: u32): void {
  const x = __heap_base
  const y = x + blockBytes
  for (let i: u32 = 0; i < rounds; i += 2) {
    addChosen(x)
    blockMix(x, y)
    addChosen(y)
    blockMix(y, x)
  }
}

/**
 * x ← x ⊕ V[Integerify(x) mod N]. By itself, and not on the way through BlockMix: nothing here waits for anything but memory, so that all
 * of the block is fetched at once.
 */
function addChosen(x: usize): void {
  const j = load<u32>(x + blockBytes - 64) & mask
  const v = __heap_base + 2 * blockBytes + <usize>j * blockBytes
  for (let at: usize = 0; at < blockBytes; at += 64) {
    v128.store(x + at, v128.xor(v128.load(x + at), v128.load(v + at)))
    v128.store(x + at, v128.xor(v128.load(x + at, 16), v128.load(v + at, 16)), 16)
    v128.store(x + at, v128.xor(v128.load(x + at, 32), v128.load(v + at, 32)), 32)
    v128.store(x + at, v128.xor(v128.load(x + at, 48), v128.load(v + at, 48)), 48)
  }
}

/** BlockMix of `from`: what comes out at even places goes to the first half of `to`. */
function blockMix(from: usize, to: usize): void {
  const last = blockBytes - 64
  let a = v128.load(from + last)
  let b = v128.load(from + last, 16)
  let c = v128.load(from + last, 32)
  let d = v128.load(from + last, 48)
  for (let at: usize = 0; at < blockBytes; at += 64) {
    a = v128.xor(a, v128.load(from + at))
    b = v128.xor(b, v128.load(from + at, 16))
    c = v128.xor(c, v128.load(from + at, 32))
    d = v128.xor(d, v128.load(from + at, 48))
    const a0 = a
    const b0 = b
    const c0 = c
    const d0 = d
    for (let round = 0; round < 8; round += 2) {
      b = quarter(b, a, d, 7)
      c = quarter(c, b, a, 9)
      d = quarter(d, c, b, 13)
      a = quarter(a, d, c, 18)
      b = v128.shuffle<u32>(b, b, 3, 0, 1, 2)
      c = v128.shuffle<u32>(c, c, 2, 3, 0, 1)
      d = v128.shuffle<u32>(d, d, 1, 2, 3, 0)
      d = quarter(d, a, b, 7)
      c = quarter(c, d, a, 9)
      b = quarter(b, c, d, 13)
      a = quarter(a, b, c, 18)
      b = v128.shuffle<u32>(b, b, 1, 2, 3, 0)
      c = v128.shuffle<u32>(c, c, 2, 3, 0, 1)
      d = v128.shuffle<u32>(d, d, 3, 0, 1, 2)
    }
    a = v128.add<u32>(a, a0)
    b = v128.add<u32>(b, b0)
    c = v128.add<u32>(c, c0)
    d = v128.add<u32>(d, d0)
    const out = to + ((at & 64) == 0 ? 0 : blockBytes >> 1) + ((at >> 1) & ~63)
    v128.store(out, a)
    v128.store(out, b, 16)
    v128.store(out, c, 32)
    v128.store(out, d, 48)
  }
}

/** x ⊕ ((y + z) <<< bits). */
function quarter(x: v128, y: v128, z: v128, bits: i32): v128 {
  const sum = v128.add<u32>(y, z)
  return v128.xor(v128.xor(x, v128.shl<u32>(sum, bits)), v128.shr<u32>(sum, 32 - bits))
}
