import {
  createBlobOpener,
  largeBytes,
  plaintextBytes,
  StoredBlobs,
  storedIn,
  treePieces,
  TreeScanner,
} from '../../../repository/index.ts'
import { openEntryRules } from '../entry-rules.ts'
import type { Compared, CompareTask, CompareWorkerData } from './calls.ts'
import { createCtimeTrust } from './ctime-trust.ts'
import { DirectoryComparer } from './directory-comparer.ts'

const unknown: Compared = { same: false, files: 0, bytes: 0, names: [], trees: [] }

/** Compares the directories of tasks, in whatever thread. What cannot be compared, for whatever reason, is not the same: the archive will see. */
export async function createTaskComparer(data: CompareWorkerData): Promise<(task: CompareTask) => readonly Compared[]> {
  const { keys, stored, rules, recordedSinceNs } = data
  const opener = createBlobOpener(keys)
  const [scanner, tools] = await Promise.all([TreeScanner.create(), openEntryRules(rules)])
  const comparer = new DirectoryComparer({
    scanner,
    stored: new StoredBlobs(stored),
    ...tools,
    attributesKept: createCtimeTrust(recordedSinceNs),
    withAtime: rules.withAtime ?? false,
  })
  return ({ pack, bytes, offset, directories }) =>
    directories.map(({ latin1Path, tree }) => {
      try {
        const stored = storedIn({ offset, bytes }, tree)
        if (plaintextBytes(tree) > largeBytes) scanner.beginPieces(treePieces(opener.openTree(pack, stored, tree).parts()))
        else {
          const memory = scanner.memory(plaintextBytes(tree))
          const json = opener.open(pack, stored, tree, memory)
          if (json.buffer !== memory.buffer) memory.set(json)
          scanner.begin(json.length)
        }
        return comparer.compare(latin1Path)
      } catch {
        return unknown
      }
    })
}
