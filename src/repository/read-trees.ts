import { mapConcurrently, shortId } from '../kernel/index.ts'
import type { BlobLocation } from './blob-index.ts'
import type { Repository } from './contract.ts'
import { decodeTree } from './tree/decode.ts'
import type { TreeNode } from './tree/node.ts'

const packsAtOnce = 4

/**
 * Several trees with few requests, pack by pack. Throws as Repository.readTree, of which each that is damaged in one pack gets the chance
 * that it has another place.
 */
export async function readTrees(
  repository: Repository,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, readonly TreeNode[]>> {
  const index = await repository.loadIndex(signal)
  const trees = new Map<string, readonly TreeNode[]>()
  const byPack = new Map<string, BlobLocation[]>()
  for (const id of ids) {
    const place = index.lookup('tree', id)
    if (place === undefined) trees.set(id, await repository.readTree(id, signal))
    else byPack.set(place.pack, [...(byPack.get(place.pack) ?? []), place])
  }
  await mapConcurrently([...byPack], packsAtOnce, async ([pack, places]) => {
    for await (const found of repository.readPackBlobs(pack, places, signal)) {
      const { id } = found.entry
      const whole = 'plaintext' in found
      trees.set(id, whole ? decodeTree(found.plaintext, `tree ${shortId(id)}`) : await repository.readTree(id, signal))
    }
  })
  return trees
}
