import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, open, readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { HoldfastError, systemCode } from '../../kernel/index.ts'
import { parseLsn } from '../lsn.ts'
import { ManifestReader, type ManifestFile, type WalRange } from './manifest.ts'
import { firstBlockOf, PageVerifier, type PageLayout } from './page-verifier.ts'
import { requiredSegments, walSegmentProblem } from './wal-range.ts'

/** What is wrong with a restored data directory. Paths are relative to it. */
export type DataDirectoryFinding =
  | { readonly problem: 'missing' | 'unexpected'; readonly path: string }
  | { readonly problem: 'size'; readonly path: string; readonly expectedBytes: number; readonly foundBytes: number }
  | { readonly problem: 'checksum'; readonly path: string }
  | { readonly problem: 'page'; readonly path: string; readonly block: number }
  | { readonly problem: 'wal'; readonly path: string; readonly because: string }
  | { readonly problem: 'nothing-checked'; readonly path: string }

export interface DataDirectoryReport {
  /** Empty: it is what the server sent, and its pages are whole. */
  readonly findings: readonly DataDirectoryFinding[]
  readonly checkedFiles: number
  readonly checkedBytes: number
  /** Zero where the source had no data checksums. */
  readonly checkedPages: number
  readonly walRanges: readonly WalRange[]
  /** Decimal; absent before version 17. */
  readonly systemIdentifier: string | undefined
}

export interface VerifyOptions {
  /** Whether the source had data checksums; false leaves the pages alone. Default true. */
  readonly dataChecksums?: boolean
  readonly layout?: PageLayout
}

/** A multiple of every page size, so that no page spans two reads of the memory that is used again. */
const readBytes = 1024 * 1024
const filesAtOnce = 4

const usualLayout: PageLayout = { pageBytes: 8192, pagesPerSegment: 131_072 }

/**
 * Compares a restored data directory, before recovery is prepared in it and before its first start, with the backup_manifest in it, as pg_verifybackup does: every listed file
 * is there with its size and SHA-256, no other file is, and the WAL from start to end is there. On top, every page's checksum is verified.
 * What is wrong is in the findings; a check that saw no file is a finding too. Throws `not-found` without a manifest, `object-damaged` for
 * a manifest that does not match its own checksum.
 */
export async function verifyDataDirectory(
  dataDir: string,
  options: VerifyOptions = {},
  signal?: AbortSignal,
): Promise<DataDirectoryReport> {
  const { dataChecksums = true, layout = usualLayout } = options
  const files = new Map<string, ManifestFile>()
  const manifest = await readManifest(dataDir, (file) => files.set(file.path, file))
  const startLsn = manifest.walRanges.map((range) => parseLsn(range.startLsn)).reduce((a, b) => (a < b ? a : b), 1n << 63n)

  const findings: DataDirectoryFinding[] = []
  let checkedBytes = 0
  let checkedPages = 0
  async function check(file: ManifestFile, memory: Buffer): Promise<void> {
    const firstBlock = dataChecksums ? firstBlockOf(file.path, layout) : undefined
    const pages = firstBlock === undefined ? undefined : new PageVerifier(file.path, firstBlock, layout, startLsn)
    const finding = await checkFile(dataDir, file, pages, memory, signal)
    if (finding) findings.push(finding)
    else checkedBytes += file.sizeBytes
    checkedPages += pages?.checkedPages ?? 0
    findings.push(...(pages?.damaged ?? []).map(({ path, block }) => ({ problem: 'page' as const, path, block })))
  }
  const remaining = files.values()
  const one = async () => {
    const memory = Buffer.alloc(readBytes)
    for (const file of remaining) await check(file, memory)
  }
  await Promise.all(Array.from({ length: filesAtOnce }, one))
  for await (const path of filesBelow(dataDir)) {
    if (!files.has(path) && !mayBeUnlisted(path)) findings.push({ problem: 'unexpected', path })
  }
  findings.push(...(await checkWal(dataDir, manifest.walRanges)))
  if (files.size === 0) findings.push({ problem: 'nothing-checked', path: 'backup_manifest' })
  return {
    findings: findings.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)),
    checkedFiles: files.size,
    checkedBytes,
    checkedPages,
    walRanges: manifest.walRanges,
    systemIdentifier: manifest.systemIdentifier,
  }
}

async function readManifest(dataDir: string, onFile: (file: ManifestFile) => void): Promise<ManifestReader> {
  const reader = new ManifestReader(onFile)
  try {
    for await (const piece of createReadStream(join(dataDir, 'backup_manifest'))) reader.update(piece as Buffer)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    throw new HoldfastError('not-found', {
      message: `${dataDir} has no backup_manifest, so it cannot be compared with what was backed up`,
      hint: 'restore it from a base backup of Holdfast, and verify it before its first start',
      cause: error,
    })
  }
  reader.end()
  return reader
}

async function checkFile(
  dataDir: string,
  file: ManifestFile,
  pages: PageVerifier | undefined,
  memory: Buffer,
  signal: AbortSignal | undefined,
): Promise<DataDirectoryFinding | undefined> {
  const { path, sizeBytes, checksum, algorithm } = file
  if (checksum !== undefined && algorithm?.toUpperCase() !== 'SHA256') {
    throw new HoldfastError('object-damaged', { message: `the backup manifest uses ${algorithm}; Holdfast asks for SHA256` })
  }
  const handle = await open(join(dataDir, path), 'r').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw error
  })
  if (!handle) return { problem: 'missing', path }
  try {
    const found = await handle.stat()
    if (!found.isFile()) return { problem: 'missing', path }
    if (found.size !== sizeBytes) return { problem: 'size', path, expectedBytes: sizeBytes, foundBytes: found.size }
    const hash = createHash('sha256')
    for (let position = 0; position < sizeBytes;) {
      signal?.throwIfAborted()
      const { bytesRead } = await handle.read(memory, 0, memory.length, position)
      if (bytesRead === 0) return { problem: 'size', path, expectedBytes: sizeBytes, foundBytes: position }
      const bytes = memory.subarray(0, bytesRead)
      hash.update(bytes)
      pages?.update(bytes)
      position += bytesRead
    }
    return checksum !== undefined && hash.digest('hex') !== checksum ? { problem: 'checksum', path } : undefined
  } finally {
    await handle.close()
  }
}

async function checkWal(dataDir: string, ranges: readonly WalRange[]): Promise<DataDirectoryFinding[]> {
  if (ranges.length === 0) return [{ problem: 'wal', path: 'backup_manifest', because: 'the manifest names no WAL' }]
  const findings: DataDirectoryFinding[] = []
  for (const range of ranges) {
    for (const segment of await requiredSegments(dataDir, range)) {
      const because = await walSegmentProblem(dataDir, segment)
      if (because !== undefined) findings.push({ problem: 'wal', path: `pg_wal/${segment.name}`, because })
    }
  }
  return findings
}

/** What a backup holds without listing it. */
function mayBeUnlisted(path: string): boolean {
  return path === 'backup_manifest' || path.startsWith('pg_wal/')
}

/** Regular files, relative to the data directory, through the links of pg_tblspc only. */
async function* filesBelow(dataDir: string, folder = dataDir): AsyncGenerator<string, void, undefined> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    const name = relative(dataDir, path)
    const isTablespace = entry.isSymbolicLink() && /^pg_tblspc\/\d+$/.test(name)
    if (entry.isDirectory() || (isTablespace && (await stat(path)).isDirectory())) yield* filesBelow(dataDir, path)
    else if ((await lstat(path)).isFile()) yield name
  }
}

/**
 * Verifies a restored data directory and throws `object-damaged`, saying what is wrong first and how much else is, unless it is sound.
 * `known`: pages that the source held damaged already, as its backup.json says; a faithful copy has them too.
 */
export async function requireSoundDataDirectory(
  dataDir: string,
  {
    known = [],
    ...options
  }: VerifyOptions & { readonly known?: readonly { readonly path: string; readonly block: number }[] } = {},
  signal?: AbortSignal,
): Promise<DataDirectoryReport> {
  const report = await verifyDataDirectory(dataDir, options, signal)
  const isKnown = (finding: DataDirectoryFinding) =>
    finding.problem === 'page' && known.some(({ path, block }) => path === finding.path && block === finding.block)
  const findings = report.findings.filter((finding) => !isKnown(finding))
  const [first] = findings
  if (first === undefined) return report
  const more = findings.length > 1 ? `, and ${findings.length - 1} more` : ''
  throw new HoldfastError('object-damaged', {
    message: `${dataDir} is not what was backed up: ${describeFinding(first)}${more}`,
    hint: 'do not start it: restore again, or restore another snapshot',
    details: { dataDir, findings },
  })
}

function describeFinding(finding: DataDirectoryFinding): string {
  switch (finding.problem) {
    case 'missing':
      return `${finding.path} is missing`
    case 'unexpected':
      return `${finding.path} is not part of the backup`
    case 'size':
      return `${finding.path} has ${finding.foundBytes} bytes instead of ${finding.expectedBytes}`
    case 'checksum':
      return `${finding.path} is not what the server sent`
    case 'page':
      return `${finding.path} block ${finding.block} has a wrong page checksum`
    case 'wal':
      return `${finding.path}: ${finding.because}`
    default:
      return 'the manifest lists no file: nothing was checked'
  }
}
