import { plaintextBytes, type BlobIndex, type BlobLocation } from '../../repository/index.ts'
import type { PlannedFile } from './plan.ts'

/** A place that a blob goes to. */
interface Use {
  readonly file: PlannedFile
  readonly at: number
}

/** A blob of a pack, and everywhere it goes. */
export interface WantedBlob {
  readonly location: BlobLocation
  readonly uses: Use[]
}

/** What files are made of, in the order in which it is stored: each stored byte is read once. */
export interface ContentOrder {
  /** By pack, then by blob. */
  readonly packs: Map<string, Map<string, WantedBlob>>
  /** Of the content, which counts: what a node says may be older than the content, when a file changed while it was read. */
  readonly sizes: Map<PlannedFile, number>
}

export interface Unordered {
  /** Nothing has to be written to it. */
  readonly onEmpty: (file: PlannedFile, sizeBytes: number) => void
  /** `blob` is the first that no index names; undefined when the node does not say what its content is. */
  readonly onUnknown: (file: PlannedFile, blob: string | undefined) => void
}

export function orderContent(files: readonly PlannedFile[], index: BlobIndex, { onEmpty, onUnknown }: Unordered): ContentOrder {
  const order: ContentOrder = { packs: new Map(), sizes: new Map() }
  for (const file of files) {
    const { content } = file.node
    if (content === null) {
      onUnknown(file, undefined)
      continue
    }
    const locations = content?.map((id) => index.lookup('data', id)) ?? []
    const missing = locations.indexOf(undefined)
    if (missing >= 0) onUnknown(file, content?.[missing])
    else {
      add(order, file, locations as BlobLocation[])
      if (file.missing === 0) onEmpty(file, order.sizes.get(file) ?? 0)
    }
  }
  return order
}

function add({ packs, sizes }: ContentOrder, file: PlannedFile, locations: readonly BlobLocation[]): void {
  let at = 0
  for (const [place, location] of locations.entries()) {
    const start = at
    at += plaintextBytes(location)
    if (file.kept?.places.has(place)) continue
    const inPack = packs.get(location.pack) ?? new Map<string, WantedBlob>()
    packs.set(location.pack, inPack)
    const wanted = inPack.get(location.id) ?? { location, uses: [] }
    inPack.set(location.id, wanted)
    wanted.uses.push({ file, at: start })
  }
  sizes.set(file, at)
}
