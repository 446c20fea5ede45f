import { mapConcurrently, shortId } from '../kernel/index.ts'
import type { BlobLocation } from './blob-index.ts'
import type { Repository } from './contract.ts'
import { plaintextBytes } from './read-pack.ts'
import { largeBytes, wholeText } from './tree-blob.ts'
import { TreeNodes } from './tree/tree-nodes.ts'

const packsAtOnce = 4
/** Of the text of trees that are read together: usual ones have some kilobytes, that of a million files some hundred megabytes. */
const usualBytesTogether = 32 * 1024 * 1024

export interface ReadTrees {
  /** Trees that were not read are left to the next call when the text of those before them has more bytes. At least one is read. */
  readonly bytesTogether?: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Several trees with few requests, pack by pack: as many of the first ones as there is memory for. Throws as Repository.openTree, of which
 * each that is damaged in one pack gets the chance that it has another place.
 */
export async function readTrees(
  repository: Repository,
  ids: readonly string[],
  { bytesTogether = usualBytesTogether, signal }: ReadTrees = {},
): Promise<ReadonlyMap<string, TreeNodes>> {
  const index = await repository.loadIndex(signal)
  const trees = new Map<string, TreeNodes>()
  const byPack = new Map<string, BlobLocation[]>()
  let bytes = 0
  for (const [at, id] of ids.entries()) {
    const place = index.lookup('tree', id)
    bytes += place === undefined ? 0 : plaintextBytes(place)
    if (at > 0 && bytes > bytesTogether) break
    if (place === undefined || plaintextBytes(place) > largeBytes) trees.set(id, await repository.openTree(id, signal))
    else byPack.set(place.pack, [...(byPack.get(place.pack) ?? []), place])
  }
  await mapConcurrently([...byPack], packsAtOnce, async ([pack, places]) => {
    for await (const found of repository.readPackBlobs(pack, places, signal)) {
      const { id } = found.entry
      const text = 'plaintext' in found ? wholeText(found.plaintext) : undefined
      trees.set(id, text ? new TreeNodes(text, `tree ${shortId(id)}`) : await repository.openTree(id, signal))
    }
  })
  return trees
}
