import { onOneLine, printable } from '../../../kernel/index.ts'
import type { Block, Inline } from '../document.ts'
import { continuationMark, wrapCommand } from './command-lines.ts'
import type { Face, Fonts, Piece } from './fonts.ts'
import { breakLines } from './lines.ts'
import { gap, stack, type Line, type Node } from './node.ts'
import { tableGrid } from './table.ts'

const body = { size: 9, height: 13, baseline: 9.8 }
const command = { size: 8.4, height: 11, baseline: 8.2 }
const headings = {
  1: { size: 19, height: 27, before: 0 },
  2: { size: 13.5, height: 20, before: 16 },
  3: { size: 10.5, height: 15, before: 10 },
} as const
const bold: Face = 'bold'

/** What the blocks become on pages of that width, in points. */
export function nodesOf(blocks: readonly Block[], fonts: Fonts, width: number): Node[] {
  const paragraph = (parts: readonly Inline[], wide = width, face: Face = 'text') =>
    textLines(
      parts.flatMap((part) => piecesOf(part, face)),
      fonts,
      wide,
    )
  const within = (children: readonly Block[], inset: number) => nodesOf(children, fonts, width - inset)
  const nodes = blocks.map((block): Node[] => {
    switch (block.type) {
      case 'heading':
        return headingNodes(block.level, onOneLine(block.text), fonts, width)
      case 'text':
        return [gap(3), ...paragraph(block.text), gap(3)]
      case 'facts':
        return [gap(3), ...factNodes(block.facts, paragraph, fonts, width), gap(3)]
      case 'list':
        return [
          gap(3),
          ...block.items.map((item, index) => listItem(block.style, index, paragraph(item, width - listIndent))),
          gap(3),
        ]
      case 'table':
        return [gap(6), tableGrid(block, fonts, width), gap(8)]
      case 'commands':
        return [gap(4), commandStack(block.lines, fonts, width), gap(6)]
      case 'alarm': {
        const title = paragraph([`⚠ ${block.title}`], width - 20, bold)
        const inside = [gap(7), ...title.map(keptWithNext), gap(2), ...paragraph(block.text, width - 20), gap(7)]
        return [gap(6), framed(inside, 'alarm', width, 10), gap(8)]
      }
      case 'step':
        return block.noReturn
          ? [gap(10), framed([gap(2), ...within(block.blocks, 20), gap(6)], 'no-return', width, 10), gap(8)]
          : [gap(8), stack([stepRule(width), ...within(block.blocks, 0)], { together: true }), gap(4)]
      case 'chapter':
        return [stack(within(block.blocks, 0), { newPage: true })]
      case 'picture':
        return within(block.instead, 0)
      case 'measured':
      default:
        return [gap(3), stack(within(block.blocks, 10), { indent: 10, frame: { style: 'measured', width } }), gap(3)]
    }
  })
  return withIntroductions(blocks, nodes)
}

/** Commands stay with what introduces them, a sentence or facts. */
function withIntroductions(blocks: readonly Block[], nodes: readonly Node[][]): Node[] {
  const introduces = (index: number) =>
    blocks[index + 1]?.type === 'commands' && ['text', 'facts'].includes(blocks[index]?.type ?? '')
  return nodes.flatMap((own, index) => {
    if (introduces(index)) return [stack([...own, ...(nodes[index + 1] ?? [])], { together: true })]
    return index > 0 && introduces(index - 1) ? [] : own
  })
}

const listIndent = 16

const framed = (children: readonly Node[], style: 'alarm' | 'no-return', width: number, indent: number): Node =>
  stack(children, { together: true, indent, frame: { style, width } })

/** Above a step, to tell it from the one before. */
const stepRule = (width: number): Line => ({
  type: 'line',
  height: 2,
  withNext: true,
  draw: (canvas, x, y) => canvas.rule(x, y, width, 0.4),
})

const keptWithNext = (line: Line): Line => ({ ...line, withNext: true })

function piecesOf(part: Inline, face: Face): Piece[] {
  if (typeof part === 'string') return [{ text: onOneLine(part), face }]
  if ('code' in part) return [{ text: part.code === '' ? '(empty)' : onOneLine(part.code), face: 'mono' }]
  if ('strong' in part) return [{ text: onOneLine(part.strong), face: bold }]
  return part.measured.flatMap((inner) => piecesOf(inner, face))
}

/** Its first two and its last two lines stay together. */
function textLines(parts: readonly Piece[], fonts: Fonts, width: number): Line[] {
  const lines = breakLines(parts, { fonts, width, size: body.size })
  return lines.map(({ runs }, index) => ({
    type: 'line',
    height: body.height,
    withNext: lines.length > 1 && (index === 0 || index === lines.length - 2),
    draw: (canvas, x, y) => canvas.text(runs, x, y + body.baseline, body.size),
  }))
}

function headingNodes(level: 1 | 2 | 3, title: string, fonts: Fonts, width: number): Node[] {
  const { size, height, before } = headings[level]
  const lines = breakLines([{ text: title, face: bold }], { fonts, width, size })
  return [
    gap(before),
    ...lines.map(({ runs }, index): Line => ({
      type: 'line',
      height,
      withNext: true,
      draw(canvas, x, y) {
        if (index === 0) canvas.bookmark(title, level)
        canvas.text(runs, x, y + height - size * 0.42, size)
        if (level < 3 && index === lines.length - 1) canvas.rule(x, y + height, width, level === 1 ? 1.6 : 0.6)
      },
    })),
    { type: 'line', height: level < 3 ? 5 : 1, withNext: true, draw: () => {} },
  ]
}

/** Labels in a column of their own. */
function factNodes(
  facts: readonly (readonly [string, readonly Inline[]])[],
  paragraph: (parts: readonly Inline[], width: number) => Line[],
  fonts: Fonts,
  width: number,
): Node[] {
  const widest = Math.max(...facts.map(([label]) => fonts.width(label, bold, body.size)))
  const column = Math.min(width / 3, Math.max(70, widest + 12))
  return facts.map(([label, parts]) => {
    const labels = breakLines([{ text: label, face: bold }], { fonts, width: column - 8, size: body.size })
    const lines: Line[] = paragraph(parts, width - column)
    while (lines.length < labels.length) lines.push({ type: 'line', height: body.height, draw: () => {} })
    const rows = lines.map((line, index): Line => ({
      ...line,
      draw(canvas, x, y) {
        canvas.text(labels[index]?.runs ?? [], x, y + body.baseline, body.size)
        line.draw(canvas, x + column, y)
      },
    }))
    return stack(rows, { together: true })
  })
}

function listItem(style: 'bullet' | 'check' | 'number', index: number, lines: readonly Line[]): Node {
  const [first, ...rest] = lines
  if (first === undefined) return gap(0)
  const marked: Line = {
    ...first,
    draw(canvas, x, y) {
      if (style === 'check') canvas.box(x - listIndent + 0.5, y + 2.2, 8.5, 8.5, { line: 0.8 })
      else
        canvas.text(
          [{ text: style === 'number' ? `${index + 1}.` : '•', face: 'text' }],
          x - listIndent + 2,
          y + body.baseline,
          body.size,
        )
      first.draw(canvas, x, y)
    },
  }
  return stack([marked, ...rest, gap(style === 'check' ? 3 : 1)], { indent: listIndent, together: true })
}

function commandStack(lines: readonly string[], fonts: Fonts, width: number): Node {
  const inset = 8
  const character = fonts.width('0', 'mono', command.size)
  const columns = Math.floor((width - 2 * inset) / character) - 2
  // What the monospaced font lacks comes from another, and may be wider.
  const cells = (letter: string) =>
    fonts.pieces(letter, 'mono').reduce((sum, { text, face }) => sum + fonts.width(text, face, command.size), 0) / character
  const shown = printable(lines.join('\n'))
    .split('\n')
    .flatMap((line) => wrapCommand(visible(line, fonts), columns, cells))
    .map(({ text, continued }): Line => ({
      type: 'line',
      height: command.height,
      draw(canvas, x, y) {
        if (continued) canvas.text([{ text: continuationMark, face: 'mono' }], x, y + command.baseline, command.size)
        const runs = fonts.pieces(text, 'mono')
        canvas.text(runs, continued ? x + 2 * character : x, y + command.baseline, command.size)
      },
    }))
  return stack([gap(5), ...shown, gap(5)], {
    together: lines.length <= 25,
    indent: inset,
    frame: { style: 'commands', width },
  })
}

/** With what has no glyph named, so that it is counted as wide as it is. */
const visible = (line: string, fonts: Fonts): string =>
  fonts
    .pieces(line, 'mono')
    .map(({ text }) => text)
    .join('')
