const usualPieceBytes = 4 * 1024 * 1024
const head = Buffer.from('{"nodes":[')
const tail = Buffer.from(']}')
const [quote, backslash, openBrace, openBracket, closeBrace, closeBracket, comma] = Buffer.from('"\\{[}],')

/**
 * The JSON of a tree in pieces that are trees themselves, with some of its nodes each, and together all that stands in it, in order: that
 * of a million nodes is longer than a string can be, and its objects would take several times its memory. What does not look like a tree
 * is one piece, for the reader to say what is wrong with it.
 *
 * `parts` are the text, cut anywhere; the memory of one may be used for the next.
 */
export function* treePieces(parts: Buffer | Iterable<Buffer>, pieceBytes: number = usualPieceBytes): Generator<Buffer> {
  const isWhole = Buffer.isBuffer(parts)
  if (isWhole && parts.length <= pieceBytes) {
    yield parts
    return
  }
  /** What was not given yet, with all that precedes it when nothing was: nodes from `start` on, looked through up to `at`. */
  let json: Buffer = Buffer.alloc(0)
  let start = head.length
  let at = start
  let isFirst = true
  let [depth, inText, isEscaped, isOver] = [0, false, false, false]
  for (const part of isWhole ? [parts] : parts) {
    json = isWhole ? part : Buffer.concat([json, part])
    if (json.length < head.length) continue
    isOver ||= isFirst && at === start && !json.subarray(0, head.length).equals(head)
    for (; at < json.length && !isOver; at++) {
      const byte = json[at]
      if (inText) {
        if (isEscaped) isEscaped = false
        else if (byte === backslash) isEscaped = true
        else if (byte === quote) inText = false
      } else if (byte === quote) inText = true
      else if (byte === openBrace || byte === openBracket) depth++
      else if (byte === closeBrace || byte === closeBracket) {
        depth--
        // The list's own end: the rest is the last piece.
        isOver = depth < 0
        if (depth !== 0 || at + 1 - start < pieceBytes || json[at + 1] !== comma) continue
        yield Buffer.concat([head, json.subarray(start, at + 1), tail])
        start = ++at + 1
        isFirst = false
      }
    }
    if (isFirst) continue
    json = json.subarray(start)
    at -= start
    start = 0
  }
  yield isFirst ? json : Buffer.concat([head, json])
}
