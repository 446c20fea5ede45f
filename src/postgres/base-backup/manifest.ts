import { createHash, type Hash } from 'node:crypto'
import { HoldfastError } from '../../kernel/index.ts'

/** One file of a backup manifest (PostgreSQL documentation, "Backup Manifest Format"). Hex digest; absent where it was not asked for. */
export interface ManifestFile {
  readonly path: string
  readonly sizeBytes: number
  readonly algorithm?: string
  readonly checksum?: string
}

export interface WalRange {
  readonly timeline: number
  readonly startLsn: string
  readonly endLsn: string
}

/**
 * Reads a backup_manifest as it comes, without holding it: PostgreSQL writes one file a line. Numbers above 2^53 (System-Identifier, since
 * version 17) are never given to JSON.parse. `end` throws `object-damaged` when the manifest's own checksum, over all bytes before its last
 * line, does not match.
 */
export class ManifestReader {
  readonly #onFile: (file: ManifestFile) => void
  readonly #hash: Hash = createHash('sha256')
  readonly #walRanges: WalRange[] = []
  #rest = ''
  #decoder = new TextDecoder()
  #checksum: string | undefined
  #systemIdentifier: string | undefined
  #line = 0

  constructor(onFile: (file: ManifestFile) => void) {
    this.#onFile = onFile
  }

  get walRanges(): readonly WalRange[] {
    return this.#walRanges
  }

  /** Decimal; absent before version 17. */
  get systemIdentifier(): string | undefined {
    return this.#systemIdentifier
  }

  update(bytes: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#readLine(line, '\n')
  }

  end(): void {
    if (this.#rest !== '') this.#readLine(this.#rest, '')
    if (this.#checksum === undefined) throw this.#malformed('it ends without its own checksum')
    const found = this.#hash.digest('hex')
    if (found !== this.#checksum) {
      throw new HoldfastError('object-damaged', {
        message: `the backup manifest does not match its own checksum: it was altered or cut`,
        details: { expected: this.#checksum, found },
      })
    }
  }

  #readLine(line: string, end: string): void {
    this.#line++
    if (this.#checksum !== undefined) {
      if (line !== '') throw this.#malformed('text after its checksum')
      return
    }
    const checksum = /^"Manifest-Checksum": "([0-9a-f]{64})"\}$/.exec(line)
    if (checksum) {
      this.#checksum = checksum[1]
      return
    }
    this.#hash.update(line + end)
    const entry = line.replace(/,$/, '')
    if (entry.startsWith('{ "') && entry.endsWith('}')) {
      const values = this.#parse(entry)
      if ('Timeline' in values) this.#walRanges.push(walRange(values))
      else this.#onFile(this.#file(values))
      return
    }
    const identifier = /"System-Identifier": (\d+)/.exec(line)
    if (identifier) this.#systemIdentifier = identifier[1]
  }

  #parse(text: string): Record<string, unknown> {
    try {
      return JSON.parse(text) as Record<string, unknown>
    } catch (error) {
      throw this.#malformed('a line that is not JSON', error)
    }
  }

  #file(values: Record<string, unknown>): ManifestFile {
    const encoded = values['Encoded-Path']
    const path = typeof encoded === 'string' ? Buffer.from(encoded, 'hex').toString('utf8') : values.Path
    const { Size: size, 'Checksum-Algorithm': algorithm, Checksum: checksum } = values
    if (typeof path !== 'string' || typeof size !== 'number') throw this.#malformed('a file without path or size')
    return {
      path,
      sizeBytes: size,
      ...(typeof algorithm === 'string' && typeof checksum === 'string' ? { algorithm, checksum } : {}),
    }
  }

  #malformed(what: string, cause?: unknown): HoldfastError {
    return new HoldfastError('object-damaged', {
      message: `the backup manifest cannot be read: ${what} (line ${this.#line})`,
      cause,
      details: { line: this.#line },
    })
  }
}

function walRange(values: Record<string, unknown>): WalRange {
  return { timeline: Number(values.Timeline), startLsn: String(values['Start-LSN']), endLsn: String(values['End-LSN']) }
}
