import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type * as fontkit from 'fontkit'

export type Face = 'text' | 'bold' | 'mono'

/** DejaVu: one design for text and for commands, and most of what is written left to right. Condensed, for more of a command fits beside it. */
const files: Readonly<Record<Face, string>> = {
  text: 'DejaVuSansCondensed.ttf',
  bold: 'DejaVuSansCondensed-Bold.ttf',
  mono: 'DejaVuSansMono.ttf',
}

/** Its letters are larger than those of the others at the same size. */
export const scale: Readonly<Record<Face, number>> = { text: 1, bold: 1, mono: 0.92 }

export interface Fonts {
  readonly data: Readonly<Record<Face, Buffer>>
  /** The text in pieces of one face each, in its order. What no face has a glyph for is named: ‹U+65E5›. */
  pieces(text: string, face: Face): Piece[]
  /** In points. */
  width(text: string, face: Face, size: number): number
}

export interface Piece {
  readonly text: string
  readonly face: Face
}

/** What stands for a character that the fonts do not have. */
export const unknownMark = /‹U\+[0-9A-F]{4,6}›/

/** From the package that holds them: no font of the machine, so that the same runbook is the same file everywhere. */
export async function loadFonts(): Promise<Fonts> {
  const { create } = await import('fontkit')
  const load = async (face: Face) => {
    const data = await readFile(fileURLToPath(import.meta.resolve(`dejavu-fonts-ttf/ttf/${files[face]}`)))
    // Collections have several fonts; these files have one.
    return { data, font: create(data) as fontkit.Font }
  }
  const [text, bold, mono] = await Promise.all([load('text'), load('bold'), load('mono')])
  const fonts = { text: text.font, bold: bold.font, mono: mono.font }
  const widths = new Map<string, number>()
  return {
    data: { text: text.data, bold: bold.data, mono: mono.data },
    pieces: (value, face) => piecesOf(value, face, (wanted, codePoint) => fonts[wanted].hasGlyphForCodePoint(codePoint)),
    width(value, face, size) {
      const key = `${face}${value}`
      let units = widths.get(key)
      if (units === undefined) {
        units = fonts[face].layout(value).advanceWidth / fonts[face].unitsPerEm
        widths.set(key, units)
      }
      return units * size * scale[face]
    },
  }
}

function piecesOf(text: string, face: Face, has: (face: Face, codePoint: number) => boolean): Piece[] {
  const pieces: { text: string; face: Face }[] = []
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0
    const found = [face, 'text' as const, 'mono' as const].find((wanted) => has(wanted, codePoint))
    const shown = found === undefined ? `‹U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}›` : character
    const last = pieces.at(-1)
    if (last?.face === (found ?? face)) last.text += shown
    else pieces.push({ text: shown, face: found ?? face })
  }
  return pieces
}
