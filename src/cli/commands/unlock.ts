import { removeLeftoversWhenFree } from '../../backup/index.ts'
import { formatDuration, formatSize, printableName, shortId } from '../../kernel/index.ts'
import type { StandingLock } from '../../repository/index.ts'
import { openTargetRepository } from '../../service/index.ts'
import { command } from '../command.ts'
import { contextOf } from '../context.ts'

export const unlockCommand = command('unlock', 'remove locks that nobody holds any more', [
  ['holdfast --repo /mnt/nas/holdfast unlock', 'those of processes that are gone, or silent for half an hour'],
  ['holdfast --repo /mnt/nas/holdfast unlock --remove-all', 'all of them: only when nothing else works on the repository'],
])
  .option('--remove-all', 'remove locks that are in use too')
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async ({ removeAll = false, repository: name }, self) => {
    const { globals, print, signal } = contextOf(self)
    await using target = await openTargetRepository(globals, name, signal)
    const removed = await target.repository.unlock({ all: removeAll }, signal)
    const left = await target.repository.locks(signal)
    const leftovers = left.length > 0 ? { count: 0, bytes: 0 } : await removeLeftoversWhenFree(target.repository, signal)
    print.result({ removed: removed.map(asJson), left: left.map(asJson), leftovers }, () =>
      [
        removed.length === 0 ? 'no lock was removed' : removed.map((lock) => `removed ${lockText(lock)}`).join('\n'),
        ...left.map((lock) => `in use: ${lockText(lock)}`),
        ...(leftovers.count > 0 ? [`removed ${leftovers.count} half-written files (${formatSize(leftovers.bytes)})`] : []),
      ].join('\n'),
    )
  })

function lockText({ id, info }: StandingLock): string {
  if (info === undefined) return `lock ${shortId(id)}, which cannot be read`
  const kind = info.exclusive ? 'exclusive' : 'shared'
  const age = formatDuration(Math.max(0, Date.now() - info.timeMs))
  return `the ${kind} lock ${shortId(id)} of process ${info.pid} of ${printableName(`${info.username}@${info.hostname}`)}, ${age} old`
}

function asJson({ id, info, stale }: StandingLock) {
  if (info === undefined) return { id, stale }
  const { timeMs, exclusive, hostname, username, pid } = info
  return { id, stale, time: new Date(timeMs).toISOString(), exclusive, hostname, username, pid }
}
