import pc from 'picocolors'
import { stripVTControlCharacters } from 'node:util'
import { forOneLine } from './for-terminal.ts'

export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => string
  readonly align?: 'left' | 'right'
}

/** Rows under a bold title line, columns as wide as their widest cell, two spaces between. Colours do not count as width. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((column) => forOneLine(column.value(row))))
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...cells.map((line) => visibleLength(line[index] ?? ''))),
  )
  const format = (line: readonly string[]) =>
    line
      .map((cell, index) => {
        const gap = ' '.repeat(Math.max(0, (widths[index] ?? 0) - visibleLength(cell)))
        return columns[index]?.align === 'right' ? gap + cell : cell + gap
      })
      .join('  ')
      .trimEnd()
  return [pc.bold(format(columns.map((column) => column.title))), ...cells.map(format)].join('\n')
}

function visibleLength(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length
}
