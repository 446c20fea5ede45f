import { canonicalJson, HoldfastError, sha256Hex, type Json } from '../kernel/index.ts'

/** One record: its place in the journal, counted from 1, and what was recorded. */
export interface JournalRecord {
  readonly seq: number
  readonly body: Json
}

const utf8 = new TextDecoder()

/** `{"seq":N,"sum":"…","body":…}` and a newline. The sum is the first 16 hex digits of SHA-256 over `N:` and the canonical body. */
export function encodeLine({ seq, body }: JournalRecord): string {
  const text = canonicalJson(body)
  return `{"seq":${seq},"sum":"${checksum(seq, text)}","body":${text}}\n`
}

export interface DecodedJournal {
  readonly records: JournalRecord[]
  /** The length of what is whole. Shorter than the file when its last line was torn by a crash. */
  readonly wholeBytes: number
}

/**
 * Reads a journal's bytes. The last line may be torn: a crash while it was written leaves it without its newline, or, on file systems
 * that lengthen a file before its data arrives, with zero bytes in it. Whoever wrote it was never told that it is durable, so it is left
 * out. Anything else that is not a whole record in its place is `journal-damaged`, naming file and line.
 *
 * @param before what of the journal comes before these bytes
 */
export function decodeJournal(bytes: Uint8Array, path: string, before = { records: 0, bytes: 0 }): DecodedJournal {
  const records: JournalRecord[] = []
  let offset = 0
  while (offset < bytes.length) {
    const end = bytes.indexOf(0x0a, offset)
    if (end === -1) break
    const line = bytes.subarray(offset, end)
    const seq = before.records + records.length + 1
    const record = decodeLine(utf8.decode(line), seq)
    if (record === undefined) {
      const isLast = end + 1 === bytes.length
      if (isLast && line.includes(0)) break
      throw new HoldfastError('journal-damaged', {
        message: `the journal ${path} is damaged at line ${seq} (byte ${before.bytes + offset})`,
        hint: 'keep the file as evidence; what the lines before it say still holds, but the run cannot go on from it',
        details: { file: path, line: seq, offset: before.bytes + offset },
      })
    }
    records.push(record)
    offset = end + 1
  }
  return { records, wholeBytes: offset }
}

/** Undefined for what is not a whole record with that place. */
export function decodeLine(text: string, expectedSeq: number): JournalRecord | undefined {
  let parsed: { seq?: unknown; sum?: unknown; body?: Json } | null
  try {
    parsed = JSON.parse(text) as typeof parsed
  } catch {
    return undefined
  }
  if (parsed === null || parsed.seq !== expectedSeq || parsed.body === undefined) return undefined
  // As it was written the body is canonical already; only where somebody has written it anew must that be made again.
  const head = `{"seq":${expectedSeq},"sum":"${String(parsed.sum)}","body":`
  const isWhole = text.startsWith(head) && parsed.sum === checksum(expectedSeq, text.slice(head.length, -1))
  if (isWhole) return { seq: expectedSeq, body: parsed.body }
  return parsed.sum === checksum(expectedSeq, canonicalJson(parsed.body)) ? { seq: expectedSeq, body: parsed.body } : undefined
}

function checksum(seq: number, body: string): string {
  return sha256Hex(`${seq}:${body}`).slice(0, 16)
}
