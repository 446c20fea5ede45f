import type { Repository, Snapshot } from '../../repository/index.ts'

/** What a file of the parent snapshot was, in as few bytes as will do for telling whether it changed. */
export type ParentFiles = ReadonlyMap<string, string>

/** The files below a folder of a snapshot, each with its blobs' ids joined; empty where the snapshot has no such folder. */
export async function parentFiles(
  repository: Repository,
  parent: Snapshot | undefined,
  folder: string,
  signal: AbortSignal,
): Promise<ParentFiles> {
  const files = new Map<string, string>()
  let tree = parent?.tree
  for (const name of folder.split('/')) {
    if (tree === undefined) return files
    const nodes = await repository.readTree(tree, signal)
    tree = nodes.find((node) => node.name.toString('utf8') === name)?.subtree
  }
  async function walk(id: string, path: string): Promise<void> {
    for (const node of await repository.readTree(id, signal)) {
      const name = `${path}/${node.name.toString('utf8')}`
      if (node.subtree !== undefined) await walk(node.subtree, name)
      else if (node.type === 'file') files.set(name, contentKey(node.content ?? []))
    }
  }
  if (tree !== undefined) await walk(tree, folder)
  return files
}

export function contentKey(content: readonly string[]): string {
  return content.join('')
}
