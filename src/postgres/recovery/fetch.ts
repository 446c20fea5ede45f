import { parseWalFileName } from '../lsn.ts'
import type { WalArchive } from '../wal/archive.ts'

/**
 * The file that PostgreSQL's restore_command asks for by name: a whole segment (zeros where it is not finished) or a history file.
 * Undefined only when the archive was looked at and does not have it. Whatever else goes wrong throws: PostgreSQL takes absence for the end
 * of WAL.
 */
export async function fetchWalFile(archive: WalArchive, name: string, signal?: AbortSignal): Promise<Buffer | undefined> {
  const history = /^([0-9A-F]{8})\.history$/.exec(name)
  if (history) {
    const found = await archive.history(Number.parseInt(history[1] ?? '', 16), signal)
    return found && found.text !== '' ? Buffer.from(found.text) : undefined
  }
  const segmentBytes = await archive.segmentBytes(signal)
  if (segmentBytes === undefined) return undefined
  // Backup labels and partial segments are asked for by name too; the archive stores none.
  const parsed = parseWalFileName(name, segmentBytes)
  return parsed && (await archive.readSegment(parsed.timeline, parsed.segment, signal))?.bytes
}
