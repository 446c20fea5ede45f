import { onOneLine, printable } from '../../kernel/index.ts'
import type { Block, Inline, RunbookDocument } from './document.ts'
import { identityLine, measuredEnd, measuredStart } from './identity.ts'

/** As GitHub-flavoured Markdown, in the form that formatters leave alone. Nothing in a catalog becomes markup. */
export function renderMarkdown({ identity, blocks }: RunbookDocument): string {
  return `${identityLine(identity)}\n\n${renderMarkdownBlocks(blocks)}`
}

export function renderMarkdownBlocks(blocks: readonly Block[]): string {
  return `${blocks.flatMap(blockLines).join('\n\n')}\n`
}

/** Its paragraphs; an empty line stands between two. */
function blockLines(block: Block): string[] {
  switch (block.type) {
    case 'heading':
      return [`${'#'.repeat(block.level)} ${escapeText(onOneLine(block.text))}`]
    case 'text':
      return [atLineStart(inlineText(block.text))]
    case 'facts':
      return [block.facts.map(([label, parts]) => `- **${escapeText(label)}:** ${inlineText(parts)}`).join('\n')]
    case 'list':
      return [block.items.map((item, index) => `${bullet(block.style, index)} ${atLineStart(inlineText(item))}`).join('\n')]
    case 'table':
      return [tableText(block.columns, block.rows)]
    case 'commands':
      return [fenced(block.lines)]
    case 'alarm':
      return [`> **⚠ ${escapeText(block.title)}**\n>\n> ${atLineStart(inlineText(block.text))}`]
    case 'step':
    case 'chapter':
      return block.blocks.flatMap(blockLines)
    case 'picture':
      return block.instead.flatMap(blockLines)
    case 'measured':
    default:
      return [measuredStart, ...block.blocks.flatMap(blockLines), measuredEnd]
  }
}

function bullet(style: 'bullet' | 'check' | 'number', index: number): string {
  if (style === 'number') return `${index + 1}.`
  return style === 'check' ? '- [ ]' : '-'
}

function inlineText(parts: readonly Inline[]): string {
  return parts.map(inline).join('').trim()
}

function inline(part: Inline): string {
  if (typeof part === 'string') return escapeText(onOneLine(part))
  if ('code' in part) return codeSpan(onOneLine(part.code))
  if ('strong' in part) return `**${escapeText(onOneLine(part.strong)).trim()}**`
  return `${measuredStart}${inlineText(part.measured)}${measuredEnd}`
}

/** Every character that can begin markup within a line. An entity for `<`: no HTML, and no mark of what was measured, can arise. */
function escapeText(text: string): string {
  return text
    .replaceAll(/[\\`*_[\]~$|]/g, String.raw`\$&`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
}

/** What would begin a heading, a list or a rule at the beginning of a line. */
function atLineStart(text: string): string {
  return text.replace(/^([#+=-])/, String.raw`\$1`).replace(/^(\d+)([.)])/, String.raw`$1\$2`)
}

/** Between more backticks than there are in it. */
function codeSpan(text: string): string {
  const code = withoutMarks(text)
  if (code.trim() === '') return '(empty)'
  const ticks = '`'.repeat(longestRun(code) + 1)
  const space = code.startsWith('`') || code.endsWith('`') || (code.startsWith(' ') && code.endsWith(' ')) ? ' ' : ''
  return `${ticks}${space}${code}${space}${ticks}`
}

function fenced(lines: readonly string[]): string {
  const code = withoutMarks(printable(lines.join('\n')))
  const ticks = '`'.repeat(Math.max(3, longestRun(code) + 1))
  return `${ticks}sh\n${code}\n${ticks}`
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
}

/** Code is not escaped: that it holds a mark of what was measured is made impossible here. */
function withoutMarks(code: string): string {
  return code.replaceAll(/<!-- (?=\/?measured )/g, '<!--  ')
}

function tableText(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [columns, ...rows].map((row) => row.map((cell) => escapeText(onOneLine(cell))))
  const widths = columns.map((_, index) => Math.max(3, ...cells.map((row) => row[index]?.length ?? 0)))
  const line = (row: readonly string[]) => `| ${widths.map((width, index) => (row[index] ?? '').padEnd(width)).join(' | ')} |`
  const [title = [], ...body] = cells
  return [line(title), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')
}
