import { backup, TreeBuilder, type Source } from '../../src/backup/index.ts'
import { openRepository } from '../../src/repository/index.ts'
import { createFilesSource } from '../../src/sources/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'

/**
 * A backup in a process of its own, whose memory is measured: `node large-backup-process.ts REPOSITORY PASSWORD files PATH`, or
 * `… stream MEGABYTES` for a stream of content that never repeats. Prints one JSON object.
 */
const [location = '', password = '', kind = '', what = ''] = process.argv.slice(2)
await using repository = await openRepository(await openLocalBackend(location), password)
const source = kind === 'files' ? createFilesSource({ paths: [what] }) : streamSource(Number(what))
const summary = await backup({ repository, source, writer: { workers: 2 } }, () => {}, new AbortController().signal)
console.log(JSON.stringify({ ...summary, peakBytes: process.resourceUsage().maxRSS * 1024 }))

function streamSource(megabytes: number): Source {
  return {
    kind: 'files',
    describe: () => ({ paths: ['/stream'], tags: [] }),
    async archive({ writer }, signal) {
      const { content, sizeBytes } = await writer.saveStream(distinct(megabytes), signal)
      const builder = new TreeBuilder()
      const owner = { uid: 0, gid: 0, mtime: 0n, atime: 0n, ctime: 0n }
      builder.add('stream', { type: 'file', mode: 0o600, ...owner, size: BigInt(sizeBytes), links: 1n, content })
      const { tree } = await builder.finish(writer, signal)
      const none = { filesChanged: 0, filesUnmodified: 0, dirsNew: 0, dirsChanged: 0, dirsUnmodified: 0 }
      const stats = { ...none, filesNew: 1, totalFilesProcessed: 1, totalBytesProcessed: sizeBytes }
      return { tree, stats, skipped: [] }
    },
  }
}

/** A linear congruential generator's output: cheap to make, half of it compressible, no two pieces alike. The memory is reused. */
async function* distinct(megabytes: number): AsyncGenerator<Uint8Array> {
  const piece = new Uint32Array((1024 * 1024) / 4)
  let state = 1
  for (let count = 0; count < megabytes; count++) {
    for (let word = 0; word < piece.length; word++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      piece[word] = word % 2 === 0 ? state : count
    }
    yield new Uint8Array(piece.buffer)
  }
}
