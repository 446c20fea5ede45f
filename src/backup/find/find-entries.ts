import type { Nanoseconds, Repository, Snapshot, TreeNode } from '../../repository/index.ts'
import type { HoldfastError } from '../../kernel/index.ts'
import { isDamage } from '../damage.ts'
import { childPath, type ListedNode } from '../list-tree.ts'
import { createPathMatcher, type PathMatcher } from '../path-pattern.ts'
import { TreeReader } from '../tree-reader.ts'

export interface FindQuery {
  /** As for createPathMatcher; one of them must match the entry or a folder that it is in, as in restic. */
  readonly patterns: readonly string[]
  readonly ignoreCase?: boolean
  /** Modified at this time or later, and at this one or before. */
  readonly oldest?: Nanoseconds
  readonly newest?: Nanoseconds
}

export interface FindEvents {
  readonly found: (entry: ListedNode) => void
  /** What is in this folder could not be read. */
  readonly damaged: (folder: Buffer, error: HoldfastError) => void
}

/** As many folders without a match are remembered: some tens of megabytes. */
const maxRemembered = 200_000

/**
 * Searches snapshots, one after the other. A folder that was the same, at the same place, in a snapshot searched before is looked through
 * again only if something in it matched.
 */
export class EntryFinder {
  readonly #reader: TreeReader
  readonly #signal: AbortSignal
  readonly #isNamed: PathMatcher
  readonly #isOfTime: (node: TreeNode) => boolean
  readonly #mayHold: (folder: string) => boolean
  readonly #barren = new Set<string>()

  constructor(repository: Repository, query: FindQuery, signal: AbortSignal) {
    this.#reader = new TreeReader(repository, signal)
    this.#signal = signal
    const { patterns, ignoreCase = false, oldest, newest } = query
    this.#isNamed = createPathMatcher(patterns, { ignoreCase })
    this.#isOfTime = ({ mtime }) => (oldest === undefined || mtime >= oldest) && (newest === undefined || mtime <= newest)
    this.#mayHold = folderFilter(query)
  }

  /** Folders before what is in them. */
  async search({ tree }: Snapshot, on: FindEvents): Promise<void> {
    await this.#folder({ tree, path: Buffer.alloc(0), isMatch: false, next: [] }, on)
  }

  /** Whether anything matched, or might have. */
  async #folder({ tree, path: folder, isMatch, next }: Folder, on: FindEvents): Promise<boolean> {
    this.#signal.throwIfAborted()
    const key = `${tree}${folder.toString('latin1')}`
    if (this.#barren.has(key)) return false
    let found = false
    try {
      for (const { node, next: others } of (await this.#reader.read(tree, next)).inPlace()) {
        const path = childPath(folder, node)
        const text = path.toString()
        const named = isMatch || this.#isNamed(text)
        if (named && this.#isOfTime(node)) {
          found = true
          on.found({ path, node })
        }
        if (node.type !== 'dir' || node.subtree === undefined || !(named || this.#mayHold(text))) continue
        if (await this.#folder({ tree: node.subtree, path, isMatch: named, next: others }, on)) found = true
      }
    } catch (error) {
      if (!isDamage(error)) throw error
      on.damaged(folder, error)
      return true
    }
    if (!found && this.#barren.size < maxRemembered) this.#barren.add(key)
    return found
  }
}

interface Folder {
  readonly tree: string
  readonly path: Buffer
  /** It or a folder around it has matched: all that is in it does. */
  readonly isMatch: boolean
  /** Trees that will be wanted soon. */
  readonly next: Iterable<string>
}

/** Folders that patterns from the root lead through or to; every folder when one pattern can match anywhere. */
function folderFilter({ patterns, ignoreCase = false }: FindQuery): (folder: string) => boolean {
  if (!patterns.every((pattern) => pattern.startsWith('/'))) return () => true
  const fold = (text: string) => (ignoreCase ? text.toLowerCase() : text)
  const prefixes = patterns.map((pattern) => {
    const literal = pattern.search(/[*?[\\]/)
    const fixed = literal === -1 ? pattern : pattern.slice(0, pattern.lastIndexOf('/', literal))
    return fold(`${fixed.replace(/\/+$/, '')}/`)
  })
  return (folder) => {
    const here = fold(`${folder}/`)
    return prefixes.some((prefix) => prefix.startsWith(here) || here.startsWith(prefix))
  }
}
