import { HoldfastError, tryParseSize } from '../kernel/index.ts'

/** Of a size as people write it. */
export function bytesOf(size: string): number {
  const bytes = tryParseSize(size)
  if (bytes === undefined) throw new HoldfastError('usage', { message: `'${size}' is not a size` })
  return bytes
}
