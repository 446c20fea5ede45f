import { HoldfastError } from '../../kernel/index.ts'
import type { BlobLocation, Repository, TreeNode } from '../../repository/index.ts'

/** Read with one request at most, as stored. Bytes. */
const runBytes = 8 * 1024 * 1024

/**
 * The content of a file in pieces, each verified against its hash. Blobs that follow one another in a pack are read together, and the next
 * ones while the last ones are being used. Throws as Repository.readBlob.
 */
export async function* fileContent(
  repository: Repository,
  { content }: Pick<TreeNode, 'content'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const index = await repository.loadIndex(signal)
  const places = (content ?? []).map((id) => index.lookup('data', id) ?? id)
  let next = 0
  /** Begins to read the next run; undefined at the end. */
  const begin = (): Promise<Uint8Array[]> | undefined => {
    const run = runFrom(places, next)
    next += run.length
    if (run.length === 0) return undefined
    const reading = readRun(repository, run, signal)
    // Whoever awaits it gets the error; nobody may for a while.
    reading.catch(() => {})
    return reading
  }
  for (let reading = begin(); reading !== undefined;) {
    const after = begin()
    yield* await reading
    reading = after
  }
}

/** Blobs in the order of their places in one pack, from `at` on. One that no index names comes as its id, alone. */
function runFrom(places: readonly (BlobLocation | string)[], at: number): (BlobLocation | string)[] {
  const first = places[at]
  if (first === undefined) return []
  if (typeof first === 'string') return [first]
  const run = [first]
  for (const place of places.slice(at + 1, at + 1000)) {
    const last = run.at(-1) ?? first
    if (typeof place === 'string' || place.pack !== first.pack || place.offset < last.offset + last.length) break
    if (place.offset + place.length - first.offset > runBytes) break
    run.push(place)
  }
  return run
}

async function readRun(
  repository: Repository,
  run: readonly (BlobLocation | string)[],
  signal: AbortSignal,
): Promise<Uint8Array[]> {
  const [first] = run
  // Named since the index was loaded, perhaps; it throws otherwise.
  if (typeof first === 'string') return [await repository.readBlob('data', first, signal)]
  const places = run.filter((place) => typeof place !== 'string')
  const pieces: Uint8Array[] = []
  for await (const found of repository.readPackBlobs(first?.pack ?? '', places, signal))
    // It may be whole in another pack.
    pieces.push('plaintext' in found ? found.plaintext : await repository.readBlob('data', found.entry.id, signal))
  return pieces
}

/** For what is written with its size in front. Throws `object-damaged` when the content has another one. */
export async function* ofSize(pieces: AsyncIterable<Uint8Array>, size: bigint, path: Buffer): AsyncGenerator<Uint8Array> {
  let count = 0n
  for await (const piece of pieces) {
    count += BigInt(piece.length)
    yield piece
  }
  if (count === size) return
  throw new HoldfastError('object-damaged', {
    message: `the content of ${path.toString()} has ${count} bytes where its entry says ${size}`,
    hint: 'run `holdfast check` to see what else is damaged',
    details: { path: path.toString() },
  })
}
