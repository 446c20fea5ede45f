import { isHoldfastError, messageOf, sha256Hex } from '../../kernel/index.ts'
import type { BlobEntry, BlobOpener } from '../../repository/index.ts'
import { blobsDigest } from './check-indexes.ts'

/** A whole pack, and what it should be. */
export interface PackToVerify {
  readonly pack: string
  readonly bytes: Uint8Array
  /** Of its blobs, as the index lists them: see blobsDigest. */
  readonly digest?: string
  /** Its blobs as the index lists them, for a pack whose own header cannot be read. */
  readonly listed?: readonly BlobEntry[]
}

export interface PackVerdict {
  /** What is wrong with it; empty when nothing is. */
  readonly reasons: readonly string[]
  readonly damaged: readonly BlobEntry[]
  /** Its blobs were not looked at: its header does not say where they are, and `listed` was not given. */
  readonly unlisted?: true
}

/** Compares a pack with its name, its header with the index, and each blob with its id. Pure, for any thread. */
export function verifyPack(opener: BlobOpener, { pack, bytes, digest, listed }: PackToVerify): PackVerdict {
  const reasons: string[] = []
  const damaged: BlobEntry[] = []
  if (sha256Hex(bytes) !== pack) reasons.push('its content does not match its name')
  const entries = readHeader(opener, { pack, bytes }, reasons) ?? listed
  if (entries === undefined) return { reasons, damaged, unlisted: true }
  if (listed === undefined && digest !== undefined && blobsDigest(entries) !== digest)
    reasons.push('its header and the index list different blobs')
  for (const entry of entries) {
    try {
      opener.verify(pack, bytes.subarray(entry.offset, entry.offset + entry.length), entry)
    } catch (error) {
      if (!isHoldfastError(error, 'pack-damaged')) throw error
      reasons.push(messageOf(error))
      damaged.push(entry)
    }
  }
  return { reasons, damaged }
}

function readHeader(opener: BlobOpener, { pack, bytes }: PackToVerify, reasons: string[]): BlobEntry[] | undefined {
  try {
    return opener.openHeader(pack, bytes)
  } catch (error) {
    if (!isHoldfastError(error, 'pack-damaged')) throw error
    reasons.push(messageOf(error))
    return undefined
  }
}
