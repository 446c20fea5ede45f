import type { Face, Fonts, Piece } from './fonts.ts'

/** Text of one line, from left to right. */
export interface TextLine {
  readonly runs: readonly Piece[]
}

/** A text of several faces, as lines no wider than `width` points. Broken at spaces; within a word only where one is wider than a line. */
export function breakLines(
  parts: readonly Piece[],
  { fonts, width, size }: { fonts: Fonts; width: number; size: number },
): TextLine[] {
  const measure = ({ text, face }: Piece) => fonts.width(text, face, size)
  const lines: { runs: Piece[] }[] = []
  let line: Piece[] = []
  let used = 0
  const flush = () => {
    lines.push({ runs: joined(trimmed(line)) })
    line = []
    used = 0
  }
  for (const word of wordsOf(parts.flatMap(({ text, face }) => fonts.pieces(text, face)))) {
    const isSpace = word.every(({ text }) => text === ' ')
    const length = word.reduce((sum, piece) => sum + measure(piece), 0)
    if (isSpace) {
      if (line.length === 0) continue
    } else if (used + length > width && line.length > 0 && length <= width) flush()
    if (length <= width) {
      line.push(...word)
      used += length
      continue
    }
    for (const { text, face } of word) {
      for (const character of text) {
        const wide = fonts.width(character, face, size)
        if (used + wide > width && line.length > 0) flush()
        line.push({ text: character, face })
        used += wide
      }
    }
  }
  if (line.length > 0 || lines.length === 0) flush()
  return lines
}

/** The widest word, and all of it on one line, in points. */
export function extents(parts: readonly Piece[], fonts: Fonts, size: number): { readonly least: number; readonly most: number } {
  const widths = wordsOf(parts.flatMap(({ text, face }) => fonts.pieces(text, face))).map((word) =>
    word.reduce((sum, { text, face }) => sum + fonts.width(text, face, size), 0),
  )
  return { least: Math.max(0, ...widths), most: widths.reduce((sum, width) => sum + width, 0) }
}

/** Words, each of as many pieces as it has faces, and single spaces. */
function wordsOf(pieces: readonly Piece[]): Piece[][] {
  const words: Piece[][] = []
  let open: Piece[] | undefined
  for (const { text, face } of pieces) {
    for (const part of text.split(/( )/)) {
      if (part === '') continue
      if (part === ' ') {
        words.push([{ text: ' ', face }])
        open = undefined
      } else if (open === undefined) words.push((open = [{ text: part, face }]))
      else open.push({ text: part, face })
    }
  }
  return words
}

function trimmed(line: readonly Piece[]): readonly Piece[] {
  const end = line.findLastIndex(({ text }) => text !== ' ')
  return line.slice(0, end + 1)
}

function joined(line: readonly Piece[]): Piece[] {
  const runs: { text: string; face: Face }[] = []
  for (const { text, face } of line) {
    const last = runs.at(-1)
    if (last?.face === face) last.text += text
    else runs.push({ text, face })
  }
  return runs
}
