import { HoldfastError } from '../kernel/index.ts'

/** A position in the WAL of one timeline, in bytes from its beginning. */
export type Lsn = bigint

/** `16/B374D848` as PostgreSQL writes it. Throws `usage` for anything else. */
export function parseLsn(text: string): Lsn {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text)
  if (!match) {
    throw new HoldfastError('usage', {
      message: `'${text}' is not a WAL position`,
      hint: 'write it as PostgreSQL does, for example 16/B374D848',
    })
  }
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)
}

export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffffffffn).toString(16)}`.toUpperCase()
}
