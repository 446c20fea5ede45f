import { loadPosix } from '../../backup/index.ts'
import { encodeNode, type FileMaker } from '../../repository/index.ts'
import { createExclusions, type ExcludeOptions } from './exclude.ts'
import { NodeReader } from './node-reader.ts'
import { loadOwners } from './owners.ts'

/** What threads are told to make nodes of files: see src/sources/file-nodes-worker.ts. */
export interface FileNodesData {
  readonly excludes: ExcludeOptions
  /** Those that the targets are on, when others are left out. */
  readonly devices: readonly bigint[]
  readonly withAtime: boolean
}

export interface MadeOfFile {
  /** As encodeNode gives it. */
  readonly node: string
  readonly sizeBytes: number
}

/** Makes the nodes of files where they are read. */
export async function createFileNodes({ excludes, devices, withAtime }: FileNodesData): Promise<FileMaker<MadeOfFile>> {
  const exclusions = createExclusions(excludes, new Set(devices))
  const nodes = new NodeReader(await loadOwners(), loadPosix(), { withAtime })
  return {
    wants: (stat) => !exclusions.entry(stat),
    make({ latin1Path, stat, saved: { content, sizeBytes } }) {
      const path = Buffer.from(latin1Path, 'latin1')
      const name = Buffer.from(latin1Path.slice(latin1Path.lastIndexOf('/') + 1), 'latin1')
      return { node: encodeNode(nodes.read({ name, path, stat }, { content, size: BigInt(sizeBytes) })), sizeBytes }
    },
  }
}
