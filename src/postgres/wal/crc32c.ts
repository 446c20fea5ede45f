/** CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), as PostgreSQL puts it on WAL records and pg_control; eight bytes a step. */
const tables: readonly Uint32Array[] = buildTables()

function buildTables(): Uint32Array[] {
  const first = new Uint32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
    first[byte] = value >>> 0
  }
  const all = [first]
  for (let step = 1; step < 8; step++) {
    const before = all[step - 1] ?? first
    all.push(before.map((value) => ((value >>> 8) ^ (first[value & 0xff] ?? 0)) >>> 0))
  }
  return all
}

const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
]

/** The CRC of bytes; `crc` continues that of the bytes before them. */
export function crc32c(bytes: Uint8Array, crc = 0): number {
  let value = ~crc
  let at = 0
  const wholeEnd = bytes.length - (bytes.length % 8)
  const byte = (index: number) => bytes[index] as number
  for (; at < wholeEnd; at += 8) {
    value ^= byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24)
    value =
      (t7[value & 0xff] as number) ^
      (t6[(value >>> 8) & 0xff] as number) ^
      (t5[(value >>> 16) & 0xff] as number) ^
      (t4[value >>> 24] as number) ^
      (t3[byte(at + 4)] as number) ^
      (t2[byte(at + 5)] as number) ^
      (t1[byte(at + 6)] as number) ^
      (t0[byte(at + 7)] as number)
  }
  for (; at < bytes.length; at++) value = (t0[(value ^ byte(at)) & 0xff] as number) ^ (value >>> 8)
  return ~value >>> 0
}
