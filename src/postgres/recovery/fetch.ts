import { parseWalFileName } from '../lsn.ts'
import type { WalArchive } from '../wal/contract.ts'

/**
 * The file that PostgreSQL's restore_command asks for by name: a whole segment (zeros where it is not finished) or a history file.
 * Undefined only when the archive was looked at and does not have it. Whatever else goes wrong throws: PostgreSQL takes absence for the end
 * of WAL. With `untilDamage`, a segment that is damaged has zeros from there on: only for a recovery whose target lies before it.
 */
export async function fetchWalFile(
  archive: WalArchive,
  name: string,
  signal?: AbortSignal,
  options: { readonly untilDamage?: boolean | undefined } = {},
): Promise<Buffer | undefined> {
  const history = /^([0-9A-F]{8})\.history$/.exec(name)
  if (history) {
    const found = await archive.history(Number.parseInt(history[1] ?? '', 16), signal)
    return found && found.text !== '' ? Buffer.from(found.text) : undefined
  }
  const segmentBytes = await archive.segmentBytes(signal)
  if (segmentBytes === undefined) return undefined
  // Backup labels and partial segments are asked for by name too; the archive stores none.
  const parsed = parseWalFileName(name, segmentBytes)
  if (!parsed) return undefined
  const untilDamage = options.untilDamage === true
  const found = await archive.readSegment(parsed.timeline, parsed.segment, signal, { untilDamage })
  return found && found.end > found.start ? found.bytes : undefined
}
