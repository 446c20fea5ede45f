import { hash, randomBytes } from 'node:crypto'

/** Lower-case hex SHA-256. */
export function sha256Hex(data: Uint8Array | string): string {
  return hash('sha256', data, 'hex')
}

/** `bytes` random bytes as lower-case hex. */
export function randomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex')
}

/** The first 8 characters of a hex id, as restic shows them. */
export function shortId(id: string): string {
  return id.slice(0, 8)
}
