import { HoldfastError } from '../../kernel/index.ts'
import { readText } from '../connection/messages.ts'

/** One part of a BASE_BACKUP stream, with its bytes. The bytes must be consumed before the next part is asked for. */
export type BackupPart =
  | { readonly type: 'archive'; readonly name: string; readonly bytes: AsyncIterable<Buffer> }
  | { readonly type: 'manifest'; readonly bytes: AsyncIterable<Buffer> }

/**
 * Takes apart the one COPY in which PostgreSQL 15 and newer send a base backup (protocol documentation, BASE_BACKUP): messages of `n` new
 * archive (name, tablespace path), `m` manifest, `d` data, `p` progress (int64, bytes so far). Throws `postgres-failed` for any other.
 */
export async function* backupParts(
  messages: AsyncIterable<Buffer>,
  onProgress: (doneBytes: number) => void,
): AsyncGenerator<BackupPart, void, undefined> {
  const iterator = messages[Symbol.asyncIterator]()
  let header: Buffer | undefined

  async function* data(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const { done, value: message } = await iterator.next()
      if (done === true) return
      const type = message[0]
      if (type === 0x64) yield message.subarray(1)
      else if (type === 0x70) onProgress(Number(message.readBigInt64BE(1)))
      else {
        header = message
        return
      }
    }
  }

  for await (const early of data()) {
    throw new HoldfastError('postgres-failed', { message: `the server sent ${early.length} bytes before naming an archive` })
  }
  while (header !== undefined) {
    const type = String.fromCharCode(header[0]!)
    const { text: name } = type === 'n' ? readText(header, 1) : { text: '' }
    if (type !== 'n' && type !== 'm') {
      throw new HoldfastError('postgres-failed', { message: `the server sent an unknown part '${type}' of a base backup` })
    }
    header = undefined
    const bytes = data()
    yield type === 'n' ? { type: 'archive', name, bytes } : { type: 'manifest', bytes }
    for await (const rest of bytes) void rest
  }
}
