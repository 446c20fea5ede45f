import { createHash } from 'node:crypto'
import { HoldfastError } from '../../kernel/index.ts'
import type { ManifestFile } from './manifest.ts'

/** The digests of the files as they were received, to be compared with what the server's manifest says it sent. */
export class ReceivedFiles {
  readonly #digests = new Map<string, { sizeBytes: number; digest: Buffer }>()
  #matched = 0

  get count(): number {
    return this.#digests.size
  }

  /** Passes the content of a file on and takes its digest. `path` is relative to the data directory. WAL is not in a manifest. */
  async *watch(
    path: string,
    content: AsyncIterable<Buffer>,
    look: (piece: Buffer) => void,
  ): AsyncGenerator<Buffer, void, undefined> {
    const inManifest = !/^pg_wal\/[0-9A-F]{24}$/.test(path) && !/^pg_wal\/[0-9A-F]{8}\.history$/.test(path)
    const hash = createHash('sha256')
    let sizeBytes = 0
    for await (const piece of content) {
      sizeBytes += piece.length
      if (inManifest) hash.update(piece)
      look(piece)
      yield piece
    }
    if (inManifest) this.#digests.set(path, { sizeBytes, digest: hash.digest() })
  }

  /** Compares one file of the manifest. */
  compare(file: ManifestFile): void {
    const received = this.#digests.get(file.path)
    if (!received) throw mismatch(file.path, 'the server lists it, but did not send it')
    if (received.sizeBytes !== file.sizeBytes)
      throw mismatch(file.path, `${received.sizeBytes} bytes came, ${file.sizeBytes} are listed`)
    if (file.algorithm === 'SHA256' && received.digest.toString('hex') !== file.checksum) {
      throw mismatch(file.path, 'its bytes are not those that the server listed')
    }
    this.#matched++
  }

  /** After the last: each file that came must have been listed. */
  finish(): void {
    if (this.#matched === this.#digests.size && this.#matched > 0) return
    throw new HoldfastError('postgres-failed', {
      message: `the server sent ${this.#digests.size} files, and its manifest lists ${this.#matched}`,
    })
  }
}

function mismatch(path: string, what: string): HoldfastError {
  return new HoldfastError('postgres-failed', {
    message: `the base backup does not match its manifest at ${path}: ${what}`,
    hint: 'run the backup again; if it happens again, look at the network and at the server',
    details: { path },
  })
}
