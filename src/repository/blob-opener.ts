import { decodeBlob, type BlobEntry } from './blob.ts'
import { openWholePack } from './pack-header.ts'
import { sealKeys, type MasterKey } from './seal.ts'
import { openTreeText, verifyStored, type StoredText } from './tree-blob.ts'

/** What another thread needs to open blobs: the repository's secrets. May be posted to a thread, and goes nowhere else. */
export interface ThreadKeys {
  readonly secrets: MasterKey
}

/** Opens what was read of packs, in any thread. All throw `pack-damaged`. */
export interface BlobOpener {
  /** The verified plaintext, in `memory` when it fits there. */
  open(pack: string, stored: Uint8Array, entry: BlobEntry, memory?: Uint8Array): Uint8Array
  verify(pack: string, stored: Uint8Array, entry: BlobEntry): void
  /** The text of a tree, of which not all is in memory when it is large. */
  openTree(pack: string, stored: Uint8Array, entry: BlobEntry): StoredText
  /** The blobs of a whole pack, from its own header. */
  openHeader(pack: string, bytes: Uint8Array): BlobEntry[]
}

export function createBlobOpener({ secrets }: ThreadKeys): BlobOpener {
  const keys = sealKeys(secrets)
  return {
    open: (pack, stored, entry, memory) => decodeBlob(keys, stored, entry, pack, memory),
    verify: (pack, stored, entry) => verifyStored(keys, stored, entry, pack),
    openTree: (pack, stored, entry) => openTreeText(keys, stored, entry, pack),
    openHeader: (pack, bytes) => openWholePack(keys, bytes, pack),
  }
}
