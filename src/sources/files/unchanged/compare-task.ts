import { loadPosix } from '../../../backup/index.ts'
import { createBlobOpener, StoredBlobs, storedIn, TreeScanner } from '../../../repository/index.ts'
import { createExclusions } from '../exclude.ts'
import { NodeReader } from '../node-reader.ts'
import { loadOwners } from '../owners.ts'
import type { Compared, CompareTask, CompareWorkerData } from './calls.ts'
import { createCtimeTrust } from './ctime-trust.ts'
import { DirectoryComparer } from './directory-comparer.ts'

const unknown: Compared = { same: false, files: 0, bytes: 0, names: [], trees: [] }

/** Compares the directories of tasks, in whatever thread. What cannot be compared, for whatever reason, is not the same: the archive will see. */
export async function createTaskComparer(data: CompareWorkerData): Promise<(task: CompareTask) => readonly Compared[]> {
  const { keys, stored, excludes, devices, withAtime, recordedSinceNs } = data
  const opener = createBlobOpener(keys)
  const [scanner, owners] = await Promise.all([TreeScanner.create(), loadOwners()])
  const comparer = new DirectoryComparer({
    scanner,
    stored: new StoredBlobs(stored),
    exclusions: createExclusions(excludes, new Set(devices)),
    nodes: new NodeReader(owners, loadPosix(), { withAtime }),
    owners,
    attributesKept: createCtimeTrust(recordedSinceNs),
    withAtime,
  })
  return ({ pack, bytes, offset, directories }) =>
    directories.map(({ latin1Path, tree }) => {
      try {
        const memory = scanner.memory(tree.uncompressedLength ?? tree.length)
        const json = opener.open(pack, storedIn({ offset, bytes }, tree), tree, memory)
        if (json.buffer !== memory.buffer) memory.set(json)
        scanner.begin(json.length)
        return comparer.compare(latin1Path)
      } catch {
        return unknown
      }
    })
}
