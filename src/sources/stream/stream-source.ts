import { goMode, TreeBuilder, type Source } from '../../backup/index.ts'
import { HoldfastError, userName } from '../../kernel/index.ts'

export interface StreamSourceOptions {
  /** The path of the one file of the snapshot; a leading slash means nothing. */
  readonly name: string
  readonly pieces: (signal: AbortSignal) => AsyncIterable<Uint8Array>
  /** Nothing at all is content too: for a command, which says by its end whether all is well. */
  readonly mayBeEmpty?: boolean
  readonly tags?: readonly string[]
}

const progressEveryMs = 250

/**
 * What comes from a pipe or a program, as one file. Nothing of it is compared with a parent; what was the same before is stored once. When
 * the pieces end with an error there is no snapshot.
 */
export function createStreamSource({ name, pieces, mayBeEmpty = false, tags = [] }: StreamSourceOptions): Source {
  const path = `/${name.replace(/^\/+/, '')}`
  return {
    kind: 'stream',
    describe: () => ({ paths: [path], tags }),
    async archive({ writer, progress }, signal) {
      const now = BigInt(Date.now()) * 1_000_000n
      let bytesDone = 0
      const report = () => progress({ type: 'backup', filesDone: 0, bytesDone, current: path })
      const timer = setInterval(report, progressEveryMs)
      async function* counted() {
        for await (const piece of pieces(signal)) {
          bytesDone += piece.length
          yield piece
        }
      }
      const { content, sizeBytes } = await writer.saveStream(counted(), signal).finally(() => clearInterval(timer))
      // A dump that failed silently must not pass for a backup.
      if (sizeBytes === 0 && !mayBeEmpty)
        throw new HoldfastError('source-unreadable', {
          message: 'nothing came from stdin: no snapshot was written',
          hint: 'check the command before the pipe; --stdin-from-command runs it and looks at its exit code',
        })
      const builder = new TreeBuilder()
      builder.add(path, {
        type: 'file',
        mode: goMode(0o100_644),
        mtime: now,
        atime: now,
        ctime: now,
        uid: process.getuid?.() ?? 0,
        gid: process.getgid?.() ?? 0,
        user: userName(),
        size: BigInt(sizeBytes),
        content,
      })
      const { tree, directories } = await builder.finish(writer, signal)
      const stats = { filesNew: 1, filesChanged: 0, filesUnmodified: 0, dirsNew: directories, dirsChanged: 0, dirsUnmodified: 0 }
      return { tree, stats: { ...stats, totalFilesProcessed: 1, totalBytesProcessed: sizeBytes }, skipped: [] }
    },
  }
}
