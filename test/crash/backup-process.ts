import { backup, type Source } from '../../src/backup/index.ts'
import { openRepository } from '../../src/repository/index.ts'
import { createFilesSource } from '../../src/sources/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'

/**
 * One backup in a process of its own, to be killed: `node backup-process.ts REPOSITORY PASSWORD SOURCE`. Says `started` when the first bytes
 * were read: up to there it only starts its threads.
 */
const [location = '', password = '', path = ''] = process.argv.slice(2)
await using repository = await openRepository(await openLocalBackend(location), password)
const files = createFilesSource({ paths: [path] })
const source: Source = {
  ...files,
  async archive(context, signal) {
    const watch = setInterval(() => {
      if (context.writer.totals().bytesRead === 0) return
      process.stdout.write('started\n')
      clearInterval(watch)
    }, 1)
    return files.archive(context, signal)
  },
}
// Small packs: more instants between which a backup can die.
await backup({ repository, source, writer: { packBytes: 64 * 1024 } }, () => {}, new AbortController().signal)
