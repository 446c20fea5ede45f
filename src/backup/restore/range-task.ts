import type { BlobEntry, PackRange } from '../../repository/index.ts'
import type { WantedBlob } from './content-order.ts'
import type { PlannedFile } from './plan.ts'
import type { RangeFile, RangeTask } from './range-calls.ts'

export interface TaskRequest {
  readonly pack: string
  /** Of the range, in the order of its entries. */
  readonly blobs: readonly WantedBlob[]
  readonly range: Extract<PackRange, { bytes: Uint8Array }>
  readonly sparse: boolean
  /** Nothing more is written to these. */
  readonly isGivenUp: (file: PlannedFile) => boolean
  readonly sizeOf: (file: PlannedFile) => number
  /** For a file that its writer makes. */
  readonly temporaryName: (file: PlannedFile) => Buffer
  /** The temporary name of one that is made here; undefined when it was given up just now. */
  readonly beginPart: (file: PlannedFile) => Buffer | undefined
}

/** What a writer is told. Files that have all of their content in this range are its to make; the others are made here. `files` are in the order of the task's. */
export function rangeTask(request: TaskRequest): { readonly task: RangeTask; readonly files: readonly PlannedFile[] } {
  const { pack, blobs, range, sparse, isGivenUp, sizeOf, temporaryName, beginPart } = request
  const counts = new Map<PlannedFile, number>()
  for (const { uses } of blobs) for (const { file } of uses) counts.set(file, (counts.get(file) ?? 0) + 1)
  const places = new Map<PlannedFile, number>()
  const descriptions: RangeFile[] = []
  for (const [file, count] of counts) {
    if (isGivenUp(file)) continue
    const isWhole = file.kept === undefined && count === file.node.content?.length
    const description = isWhole ? wholeFile(file, temporaryName(file), sizeOf(file)) : partOf(file, beginPart(file))
    if (description === undefined) continue
    places.set(file, descriptions.length)
    descriptions.push(description)
  }
  const task = {
    pack,
    offset: range.offset,
    bytes: range.bytes,
    sparse,
    files: descriptions,
    blobs: blobs.map(({ location, uses }) => ({
      entry: entryOf(location),
      uses: uses.flatMap(({ file, at }) => {
        const place = places.get(file)
        return place === undefined ? [] : [{ file: place, at }]
      }),
    })),
  }
  return { task, files: [...places.keys()] }
}

function wholeFile({ path, node }: PlannedFile, temporary: Buffer, sizeBytes: number): RangeFile {
  const { type, mode, uid, gid, atime, mtime, extendedAttributes } = node
  const metadata = { type, mode, uid, gid, atime, mtime, ...(extendedAttributes && { extendedAttributes }) }
  return { temporary: temporary.toString('latin1'), whole: { path: path.toString('latin1'), metadata, sizeBytes } }
}

function partOf({ kept }: PlannedFile, temporary: Buffer | undefined): RangeFile | undefined {
  return temporary && { temporary: temporary.toString('latin1'), ...(kept !== undefined && { hasContent: true }) }
}

function entryOf({ type, id, offset, length, uncompressedLength }: BlobEntry): BlobEntry {
  return { type, id, offset, length, ...(uncompressedLength !== undefined && { uncompressedLength }) }
}
