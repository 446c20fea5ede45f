import { onOneLine } from '../../../kernel/index.ts'
import { breakLines, extents } from './lines.ts'
import type { Face, Fonts } from './fonts.ts'
import type { Grid, Line } from './node.ts'

const size = 8
const lineHeight = 11
const padding = { x: 4, y: 3 }
/** No row is higher: what has more lines goes on in a row below. */
const maxLines = 40

export function tableGrid(
  { columns, rows }: { readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] },
  fonts: Fonts,
  width: number,
): Grid {
  const cell = (row: readonly string[], index: number, face: Face) => [{ text: onOneLine(row[index] ?? ''), face }]
  const widths = columnWidths(
    columns.map((_, index) => {
      const all = [
        extents(cell(columns, index, 'bold'), fonts, size),
        ...rows.map((row) => extents(cell(row, index, 'text'), fonts, size)),
      ]
      return { least: Math.max(...all.map(({ least }) => least)), most: Math.max(...all.map(({ most }) => most)) }
    }),
    width,
  )
  const lines = (row: readonly string[], face: Face): Line[] => {
    const cells = widths.map((wide, index) =>
      breakLines(cell(row, index, face), { fonts, width: wide - 2 * padding.x, size }).map(({ runs }) => runs),
    )
    const count = Math.max(...cells.map((cellLines) => cellLines.length))
    return Array.from({ length: Math.ceil(count / maxLines) }, (_, part) => {
      const shown = cells.map((cellLines) => cellLines.slice(part * maxLines, (part + 1) * maxLines))
      const height = Math.max(...shown.map((cellLines) => cellLines.length)) * lineHeight + 2 * padding.y
      return {
        type: 'line',
        height,
        draw(canvas, x, y) {
          let left = x
          for (const [index, wide] of widths.entries()) {
            canvas.box(left, y, wide, height, { line: 0.5, ...(face === 'bold' ? { fill: '#e8e8e8' } : {}) })
            for (const [number, runs] of (shown[index] ?? []).entries()) {
              canvas.text(runs, left + padding.x, y + padding.y + number * lineHeight + 8.5, size)
            }
            left += wide
          }
        },
      }
    })
  }
  const [header = { type: 'line', height: 0, draw: () => {} }] = lines(columns, 'bold')
  return { type: 'grid', header, rows: rows.flatMap((row) => lines(row, 'text')) }
}

/** As wide as what is in them where all fit; else at least their widest word, and of the rest what is in proportion. */
function columnWidths(columns: readonly { readonly least: number; readonly most: number }[], width: number): number[] {
  const edges = 2 * padding.x + 0.1
  const room = width - columns.length * edges
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  const most = columns.map((column) => column.most)
  if (sum(most) <= room)
    return most.map((value) => value + edges + (room - sum(most)) * (sum(most) === 0 ? 1 / most.length : value / sum(most)))
  // One that is wider than an even share is broken within its words, before the others are squeezed.
  const least = columns.map((column) => Math.min(column.least, room / columns.length))
  const wanting = columns.map((column, index) => column.most - (least[index] ?? 0))
  return least.map((value, index) => value + edges + ((room - sum(least)) * (wanting[index] ?? 0)) / sum(wanting))
}
