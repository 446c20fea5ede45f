/**
 * Checksums of PostgreSQL's data pages (src/include/storage/checksum_impl.h): 32 interleaved FNV-1a-like hashes over the page with its own
 * checksum field taken as zero, folded together, mixed with the block number, reduced to 16 bits that are never zero. Pages are in the byte order of the server's
 * machine; this reads little-endian ones, on a little-endian machine, which is every one that Node and PostgreSQL are both built for today
 * but s390x.
 */

const lanes = 32
const prime = 16777619
const bases = new Uint32Array([
  0x5b1f36e9, 0xb8525960, 0x02ab50aa, 0x1de66d2a, 0x79ff467a, 0x9bb9f8a3, 0x217e7cd2, 0x83e13d2c, 0xf8d4474f, 0xe39eb970,
  0x42c6ae16, 0x993216fa, 0x7b093b5d, 0x98daff3c, 0xf718902a, 0x0b1c9cdb, 0xe58f764b, 0x187636bc, 0x5d7b3bb1, 0xe73de7de,
  0x92bec979, 0xcca6c0b2, 0x304a0979, 0x85aa43d4, 0x783125bb, 0x6ca8eaa2, 0xe407eac6, 0x4b5cfc3e, 0x9fbf8c76, 0x15ca20be,
  0xf2ca9fd3, 0x959bd756,
])

const checksumOffset = 8

/** The checksum that a page of `page.length` bytes (a multiple of 128) should carry as the given block of its relation. */
export function pageChecksum(page: Buffer, block: number): number {
  // A copy gives alignment, and the cleared field without touching the caller's bytes.
  const words = new Uint32Array(page.length / 4)
  new Uint8Array(words.buffer).set(page)
  words[checksumOffset / 4] = words[checksumOffset / 4]! & 0xffff_0000
  const sums = new Int32Array(bases)
  for (let row = 0; row < words.length; row += lanes) {
    for (let lane = 0; lane < lanes; lane++) {
      const mixed = sums[lane]! ^ words[row + lane]!
      sums[lane] = Math.imul(mixed, prime) ^ (mixed >>> 17)
    }
  }
  let result = 0
  for (let lane = 0; lane < lanes; lane++) {
    let sum = sums[lane]!
    for (let round = 0; round < 2; round++) sum = Math.imul(sum, prime) ^ (sum >>> 17)
    result ^= sum
  }
  return (((result ^ block) >>> 0) % 65535) + 1
}

export interface PageHeader {
  /** The end of the last WAL record that changed the page. */
  readonly lsn: bigint
  readonly checksum: number
  /** True for a page that was allocated but never filled: it has no checksum. */
  readonly empty: boolean
}

/** PageHeaderData: pd_lsn (high half first), pd_checksum, pd_flags, pd_lower, pd_upper. */
export function readPageHeader(page: Buffer): PageHeader {
  return {
    lsn: (BigInt(page.readUInt32LE(0)) << 32n) | BigInt(page.readUInt32LE(4)),
    checksum: page.readUInt16LE(8),
    empty: page.readUInt16LE(14) === 0,
  }
}
