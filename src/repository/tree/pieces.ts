const usualPieceBytes = 4 * 1024 * 1024
const head = Buffer.from('{"nodes":[')
const tail = Buffer.from(']}')
const [quote, backslash, openBrace, openBracket, closeBrace, closeBracket, comma] = Buffer.from('"\\{[}],')

/**
 * The JSON of a tree in pieces that are trees themselves, with some of its nodes each, and together all that stands in it, in order: that
 * of a million nodes is longer than a string can be, and its objects would take several times its memory. What does not look like a tree
 * is one piece, for the reader to say what is wrong with it.
 */
export function* treePieces(json: Buffer, pieceBytes: number = usualPieceBytes): Generator<Buffer> {
  if (json.length <= pieceBytes || !json.subarray(0, head.length).equals(head)) {
    yield json
    return
  }
  let start = head.length
  let depth = 0
  for (let at = start; at < json.length; at++) {
    const byte = json[at]
    if (byte === quote) at = endOfString(json, at)
    else if (byte === openBrace || byte === openBracket) depth++
    else if (byte === closeBrace || byte === closeBracket) {
      depth--
      // The list's own end: the rest is the last piece.
      if (depth < 0) break
      if (depth > 0 || at + 1 - start < pieceBytes || json[at + 1] !== comma) continue
      yield Buffer.concat([head, json.subarray(start, at + 1), tail])
      start = at + 2
    }
  }
  yield start === head.length ? json : Buffer.concat([head, json.subarray(start)])
}

/** Where it ends that begins at `at`. */
function endOfString(json: Buffer, at: number): number {
  let end = at + 1
  while (end < json.length && json[end] !== quote) end += json[end] === backslash ? 2 : 1
  return end
}
