import { isUtf8 } from 'node:buffer'
import { Readable } from 'node:stream'
import { ZipFile } from 'yazl'
import { unixPermissions } from '../file-mode.ts'
import { listTree, type ListedNode } from '../list-tree.ts'
import { refuseUnsafe } from '../unsafe-name.ts'
import type { TreeDump } from './dump.ts'
import { countEntry } from './dump-tar.ts'
import { fileContent } from './file-content.ts'

const unixTypes = { file: 0o100_000, dir: 0o040_000, symlink: 0o120_000 } as const

/**
 * The bytes of a zip archive with all that is in a folder: names, modes, times to two seconds, symbolic links. What zip cannot say is told:
 * devices and FIFOs are left out, and names are written otherwise that are not UTF-8 or have a backslash.
 */
export async function* zipOf(
  { repository, snapshot, path, inner, result }: TreeDump,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const zip = new ZipFile()
  const output = zip.outputStream as unknown as Readable
  zip.on('error', (error: Error) => output.destroy(error))
  const filling = (async () => {
    for await (const entry of listTree({ repository, snapshot, path, recursive: true, root: inner }, signal)) {
      signal.throwIfAborted()
      refuseUnsafe(entry)
      const { type } = entry.node
      if (!(type in unixTypes)) {
        result.skipped.push({ path: entry.path.toString(), reason: `zip has no entries of the type ${type}` })
        continue
      }
      const name = zipName(entry.path.subarray(1))
      if (name.changed)
        result.skipped.push({ path: entry.path.toString(), reason: `zip cannot carry its name: it is ${name.text} there` })
      countEntry(result, type)
      await add(zip, entry, name.text, async function* () {
        if (type === 'symlink') yield entry.node.linkTarget ?? Buffer.alloc(0)
        else
          for await (const piece of fileContent(repository, entry.node, signal)) {
            result.sizeBytes += piece.length
            yield piece
          }
      })
    }
    zip.end()
  })()
  filling.catch((error: unknown) => output.destroy(error instanceof Error ? error : new Error(String(error))))
  yield* output as AsyncIterable<Uint8Array>
  await filling
}

/** Resolves when the entry has been read: only one is under way at a time. */
async function add(zip: ZipFile, { node }: ListedNode, name: string, content: () => AsyncGenerator<Uint8Array>): Promise<void> {
  const mode = unixTypes[node.type as keyof typeof unixTypes] | unixPermissions(node.mode)
  const mtime = dosTime(node.mtime)
  if (node.type === 'dir') {
    zip.addEmptyDirectory(name, { mode, mtime })
    return
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  zip.addReadStreamLazy(name, { mode, mtime }, (give) => {
    const stream = Readable.from(content(), { objectMode: false })
    stream.once('end', resolve).once('error', reject)
    give(null, stream)
  })
  await promise
}

/** Of the years that zip knows. */
function dosTime(ns: bigint): Date {
  const ms = Number(ns / 1_000_000n)
  return new Date(Math.min(Math.max(ms, Date.UTC(1980, 0, 2)), Date.UTC(2107, 11, 30)))
}

/** UTF-8, with slashes between folders and no backslash, which some take for one; what cannot be said so is written as %XX. */
function zipName(path: Buffer): { readonly text: string; readonly changed: boolean } {
  const plain = path.toString()
  const text = isUtf8(path)
    ? plain.replaceAll('\\', '%5C').replace(/^([a-zA-Z]):/, '$1%3A')
    : [...path]
        .map((byte) => (byte < 0x80 && byte !== 0x5c ? String.fromCodePoint(byte) : `%${byte.toString(16).toUpperCase()}`))
        .join('')
  return { text, changed: text !== plain }
}
