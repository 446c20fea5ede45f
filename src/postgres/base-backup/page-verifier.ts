import { pageChecksum, readPageHeader } from './page-checksum.ts'

/** A page whose checksum does not match. `block` counts from the beginning of the relation's fork, over its segment files. */
export interface DamagedPage {
  /** Relative to the data directory. */
  readonly path: string
  readonly block: number
  readonly expected: number
  readonly found: number
}

export interface PageLayout {
  /** block_size. */
  readonly pageBytes: number
  /** Pages in one segment file: segment_size. */
  readonly pagesPerSegment: number
}

const relationFile = /^(?:global|base\/\d+|pg_tblspc\/\d+\/[^/]+\/\d+)\/\d+(?:_(?:fsm|vm|init))?(?:\.(\d+))?$/

/** The first block of a file that holds pages of a relation; undefined for all other files. `path` is relative to the data directory. */
export function firstBlockOf(path: string, layout: PageLayout): number | undefined {
  const match = relationFile.exec(path)
  return match ? Number(match[1] ?? 0) * layout.pagesPerSegment : undefined
}

/**
 * Checks the pages of one file as its bytes come by. A page changed since `startLsn` is left out: it may be torn, and WAL replay writes it
 * again as a whole. A rest shorter than a page is left out too, as PostgreSQL's own check does: it is being extended.
 */
export class PageVerifier {
  readonly #layout: PageLayout
  readonly #startLsn: bigint
  readonly #path: string
  readonly #damaged: DamagedPage[] = []
  #block: number
  #rest: Buffer = Buffer.alloc(0)
  #checked = 0

  constructor(path: string, firstBlock: number, layout: PageLayout, startLsn: bigint) {
    this.#path = path
    this.#block = firstBlock
    this.#layout = layout
    this.#startLsn = startLsn
  }

  get damaged(): readonly DamagedPage[] {
    return this.#damaged
  }

  get checkedPages(): number {
    return this.#checked
  }

  update(piece: Buffer): void {
    const { pageBytes } = this.#layout
    let offset = 0
    if (this.#rest.length > 0) {
      offset = Math.min(pageBytes - this.#rest.length, piece.length)
      this.#rest = Buffer.concat([this.#rest, piece.subarray(0, offset)])
      if (this.#rest.length < pageBytes) return
      this.#check(this.#rest)
    }
    for (; offset + pageBytes <= piece.length; offset += pageBytes) this.#check(piece.subarray(offset, offset + pageBytes))
    // A copy: the caller may use the memory of the piece again.
    this.#rest = Buffer.from(piece.subarray(offset))
  }

  #check(page: Buffer): void {
    const block = this.#block++
    const header = readPageHeader(page)
    if (header.empty || header.lsn >= this.#startLsn) return
    this.#checked++
    const expected = pageChecksum(page, block)
    if (expected !== header.checksum) this.#damaged.push({ path: this.#path, block, expected, found: header.checksum })
  }
}
