import type { ObjectInfo } from './backend.ts'

/**
 * A folder of sealed objects beside the snapshots of a repository (`holdfast/wal`, `holdfast/ledger`, …): the same guarantees as Backend,
 * with every object compressed, encrypted and authenticated by the repository's keys. Sizes in `list` are those of the stored form.
 *
 * get throws `object-damaged`, naming the object, when it does not authenticate.
 */
export interface SealedArea {
  list(prefix?: string, signal?: AbortSignal): AsyncIterable<ObjectInfo>
  get(name: string, signal?: AbortSignal): Promise<Uint8Array>
  put(
    name: string,
    plaintext: Uint8Array,
    options?: { readonly ifAbsent?: boolean; readonly signal?: AbortSignal },
  ): Promise<void>
  delete(name: string, signal?: AbortSignal): Promise<void>
}
