import { encodeNode, type FileMaker } from '../../repository/index.ts'
import { openEntryRules, type EntryRules } from './entry-rules.ts'

export interface MadeOfFile {
  /** As encodeNode gives it. */
  readonly node: string
  readonly sizeBytes: number
}

/** Makes the nodes of files where they are read: see src/sources/file-nodes-worker.ts. */
export async function createFileNodes(rules: EntryRules): Promise<FileMaker<MadeOfFile>> {
  const { exclusions, nodes } = await openEntryRules(rules)
  return {
    wants: (stat) => !exclusions.entry(stat),
    make({ latin1Path, stat, saved: { content, sizeBytes } }) {
      const path = Buffer.from(latin1Path, 'latin1')
      const name = Buffer.from(latin1Path.slice(latin1Path.lastIndexOf('/') + 1), 'latin1')
      return { node: encodeNode(nodes.read({ name, path, stat }, { content, size: BigInt(sizeBytes) })), sizeBytes }
    },
  }
}
