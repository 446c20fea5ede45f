import { scale, type Fonts, type Piece } from './fonts.ts'

type Document = PDFKit.PDFDocument

/** What is drawn on: one page after the other, in points from its left upper corner. Black, white and grey. */
export interface Canvas {
  /** Text of one line; `y` is where its letters stand. */
  text(runs: readonly Piece[], x: number, y: number, size: number): void
  rule(x: number, y: number, width: number, thickness: number): void
  box(x: number, y: number, width: number, height: number, more?: { line?: number; fill?: string; dash?: number }): void
  /** In the list of contents that viewers show; 1 is the uppermost level. */
  bookmark(title: string, level: number): void
}

export function canvasOf(document: Document, fonts: Fonts): Canvas {
  const parents: PDFKit.PDFOutline[] = [document.outline]
  return {
    text(runs, x, y, size) {
      let at = x
      for (const { text, face } of runs) {
        document
          .font(face)
          .fontSize(size * scale[face])
          .fillColor('black')
        document.text(text, at, y, { lineBreak: false, baseline: 'alphabetic' })
        at += fonts.width(text, face, size)
      }
    },
    rule(x, y, width, thickness) {
      document
        .undash()
        .lineWidth(thickness)
        .strokeColor('black')
        .moveTo(x, y)
        .lineTo(x + width, y)
        .stroke()
    },
    box(x, y, width, height, { line = 0, fill, dash } = {}) {
      if (fill !== undefined) document.rect(x, y, width, height).fill(fill)
      if (line === 0) return
      if (dash === undefined) document.undash()
      else document.dash(dash, { space: dash })
      document.rect(x, y, width, height).lineWidth(line).strokeColor('black').stroke()
    },
    bookmark(title, level) {
      const parent = parents[Math.min(level, parents.length) - 1] ?? document.outline
      parents.length = Math.min(level, parents.length)
      parents.push(parent.addItem(title, { expanded: level < 3 }))
    },
  }
}
