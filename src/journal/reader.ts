import { open, type FileHandle } from 'node:fs/promises'
import { systemCode } from '../kernel/index.ts'
import { decodeJournal, type JournalRecord } from './line.ts'

const headBytes = 64 * 1024

/** Reads a journal that another process may be writing. */
export interface JournalReader {
  /** The records since the last call, from the first on; none for a journal that is not there. A line being written is left for later. */
  readOn(): Promise<JournalRecord[]>
  /** The first record, without reading the others; undefined as long as there is none. */
  first(): Promise<JournalRecord | undefined>
}

/** Its calls must not overlap. `journal-damaged` is thrown again by every call behind the damage. */
export function createJournalReader(path: string): JournalReader {
  const seen = { records: 0, bytes: 0 }
  return {
    async readOn() {
      await using file = await openIfThere(path)
      if (file === undefined) return []
      const bytes = await readFrom(file, seen.bytes)
      const { records, wholeBytes } = decodeJournal(bytes, path, seen)
      seen.records += records.length
      seen.bytes += wholeBytes
      return records
    },
    async first() {
      await using file = await openIfThere(path)
      if (file === undefined) return undefined
      for (let length = headBytes; ; length *= 8) {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0)
        const end = buffer.subarray(0, bytesRead).indexOf(0x0a)
        // With a byte of the next line, where there is one: only a last line may be torn.
        if (end !== -1) return decodeJournal(buffer.subarray(0, Math.min(end + 2, bytesRead)), path).records[0]
        if (bytesRead < length) return undefined
      }
    },
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

async function readFrom(file: FileHandle, offset: number): Promise<Buffer> {
  const { size } = await file.stat()
  const bytes = Buffer.alloc(Math.max(0, size - offset))
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}
