import pc from 'picocolors'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** Text of one style; within a line. */
export interface Span {
  readonly text: string
  readonly style?: Style
}

/** A line for a terminal, before it has colours: so that it can be measured and cut. */
export type Line = readonly Span[]

export const span = (text: string, style?: Style): Span => (style === undefined ? { text } : { text, style })

const segments = new Intl.Segmenter()
const wide =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation}|\uFE0F/u
const printableAscii = /^[\u0020-\u007E]*$/

/** How many columns of a terminal a text takes. */
export function textWidth(text: string): number {
  if (printableAscii.test(text)) return text.length
  let width = 0
  for (const { segment } of segments.segment(text)) width += segmentWidth(segment)
  return width
}

export function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + textWidth(text), 0)
}

/** What fits into so many columns; what was cut ends in `…`. What a terminal would obey, and the ends of lines, are taken out. */
export function fit(line: Line, columns: number): Span[] {
  const shown = line.map((part) => ({ ...part, text: visible(part.text) }))
  if (lineWidth(shown) <= columns) return shown
  const kept: Span[] = []
  let left = columns - 1
  for (const part of shown) {
    let text = ''
    for (const { segment } of segments.segment(part.text)) {
      const width = segmentWidth(segment)
      if (width > left) return columns < 1 ? [] : [...kept, { ...part, text: `${text}…` }]
      left -= width
      text += segment
    }
    kept.push({ ...part, text })
  }
  return kept
}

/** Parts in as many lines as they need, with `between` them where they share one. Further lines begin with `head` too. */
export function wrap(head: Line, parts: readonly Span[], between: string, columns: number): Span[][] {
  const lines: Span[][] = []
  let current: Span[] | undefined
  for (const part of parts) {
    const more: Span[] | undefined = current === undefined ? undefined : [...current, span(between, 'dim'), part]
    if (more !== undefined && lineWidth(more) <= columns) current = more
    else {
      if (current !== undefined) lines.push(current)
      current = [...head, part]
    }
  }
  if (current !== undefined) lines.push(current)
  return lines.map((line) => fit(line, columns))
}

/** Our own separators and marks of omission in ASCII; the names that people gave stay. */
export function inAscii(line: Line): Span[] {
  return line.map((part) => ({ ...part, text: part.text.replaceAll('·', '-').replaceAll('…', '~').replaceAll('’', "'") }))
}

/** With colours, where the terminal has them and NO_COLOR is not set. */
export function paint(line: Line): string {
  return line
    .map(({ text, style }) => (style === undefined ? text : pc[style](text)))
    .join('')
    .trimEnd()
}

function segmentWidth(segment: string): number {
  if (/^(?:\p{M}|\p{Cf}|\p{Variation_Selector})+$/u.test(segment)) return 0
  return wide.test(segment) ? 2 : 1
}

function visible(text: string): string {
  return /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u.test(text)
    ? text.replaceAll(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]+/gu, ' ')
    : text
}
