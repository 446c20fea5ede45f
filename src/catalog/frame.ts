import type { CatalogProblem } from './problem.ts'

const maxWidth = 120

/**
 * The line of a problem with the one before it, line numbers, and a caret below its place:
 *
 *     11 |   objectives:
 *     12 |     rpo: 5
 *        |          ^
 *
 * Empty when the line is not there. `lines` must not hold secrets; CatalogCheck's do not.
 */
export function codeFrame(lines: readonly string[], { line, column }: Pick<CatalogProblem, 'line' | 'column'>): string {
  const at = lines[line - 1]
  if (at === undefined) return ''
  const gutter = String(line).length
  const numbered = (number: number, text: string) => `  ${String(number).padStart(gutter)} | ${text}`.trimEnd()
  // A very long line is shown around the place.
  const from = column > maxWidth - 20 ? column - 60 : 0
  const part = (text: string) => (from > 0 ? `…${text.slice(from, from + maxWidth)}` : text.slice(0, maxWidth))
  const before = lines[line - 2]
  const caretAt = from > 0 ? column - from : column - 1
  // Tabs stay tabs, so that the caret stands where the terminal puts the text.
  const indent = part(at).slice(0, caretAt).replaceAll(/[^\t]/g, ' ').padEnd(caretAt)
  return [
    ...(before === undefined || before.trim() === '' || from > 0 ? [] : [numbered(line - 1, part(before))]),
    numbered(line, part(at)),
    `  ${' '.repeat(gutter)} | ${indent}^`,
  ].join('\n')
}
