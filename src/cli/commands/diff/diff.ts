import { diffTrees, findSubtree, type Change } from '../../../backup/index.ts'
import type { Repository, Snapshot } from '../../../repository/index.ts'
import { openTargetRepository } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { splitSnapshot } from '../../snapshot-options.ts'
import { changeText, diffJson, summaryText } from './wording.ts'

/** Lines written at a time: two snapshots may differ in millions of entries. */
const batch = 1000

export const diffCommand = command('diff', 'show what differs between two snapshots', [
  ['holdfast --repo /mnt/nas/holdfast diff 1a2b3c4d latest', 'what was added, removed and changed since'],
  [
    'holdfast --repo /mnt/nas/holdfast diff 1a2b3c4d:/srv/data latest:/srv/data --metadata',
    'in one folder, modes, owners and times too',
  ],
])
  .argument('<before>', "'latest' or the beginning of an id, with :PATH behind it for a folder of it")
  .argument('<after>', 'the snapshot to compare with it')
  .option('--metadata', 'show entries whose modes, owners, times or links differ, too')
  .option('--no-lock', 'take no lock: for a repository that cannot be written to')
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async (first, second, { metadata = false, lock, repository: name }, self) => {
    const { globals, print, signal } = contextOf(self)
    await using target = await openTargetRepository(globals, name, signal)
    const { repository } = target
    await using _lock = lock ? await repository.lock('shared', {}, signal) : undefined
    const before = await resolve(repository, first, signal)
    const after = await resolve(repository, second, signal)
    const changes: Change[] = []
    const flush = () => {
      const lines = changes.splice(0).map(changeText)
      if (lines.length > 0) print.result(lines, (text) => text.join('\n'))
    }
    const summary = await diffTrees(
      { repository, before: before.tree, after: after.tree, metadata },
      (change) => {
        changes.push(change)
        if (!print.json && changes.length >= batch) flush()
      },
      signal,
    )
    if (!print.json) flush()
    print.result(diffJson(before.snapshot, after.snapshot, changes, summary), () => summaryText(summary))
  })

async function resolve(repository: Repository, text: string, signal: AbortSignal): Promise<{ snapshot: Snapshot; tree: string }> {
  const { id, subtree } = splitSnapshot(text)
  const snapshot = await repository.findSnapshot(id, {}, signal)
  return { snapshot, tree: await findSubtree(repository, snapshot, subtree ?? '', signal) }
}
