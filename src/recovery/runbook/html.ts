import { printable } from '../../kernel/index.ts'
import type { Block, Inline, RunbookDocument } from './document.ts'
import { style } from './html-style.ts'
import { identityLine, measuredEnd, measuredStart } from './identity.ts'

/** Nothing is loaded and nothing runs, whatever a catalog says: the page forbids it to itself. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

/** As one HTML file that needs no network and no script, for the screen and for paper. */
export function renderHtml({ title, identity, blocks }: RunbookDocument): string {
  return renderHtmlPage(title, [identityLine(identity)], blocks)
}

/** @param comments lines above everything else, already HTML */
export function renderHtmlPage(title: string, comments: readonly string[], blocks: readonly Block[]): string {
  return [
    '<!doctype html>',
    ...comments,
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeHtml(title)}</title>`,
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    ...blocks.flatMap(blockLines),
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

function blockLines(block: Block): string[] {
  switch (block.type) {
    case 'heading':
      return [`<h${block.level}>${escapeHtml(block.text)}</h${block.level}>`]
    case 'text':
      return [`<p>${inlineText(block.text)}</p>`]
    case 'facts':
      return [
        '<dl>',
        ...block.facts.map(([label, parts]) => `<dt>${escapeHtml(label)}</dt><dd>${inlineText(parts)}</dd>`),
        '</dl>',
      ]
    case 'list':
      return listLines(block.style, block.items)
    case 'table':
      return [
        '<table>',
        `<thead>${row('th', block.columns)}</thead>`,
        '<tbody>',
        ...block.rows.map((cells) => row('td', cells)),
        '</tbody>',
        '</table>',
      ]
    case 'commands':
      return [`<pre><code>${printable(block.lines.join('\n')).split('\n').map(commandLine).join('')}</code></pre>`]
    case 'alarm':
      return [
        '<div class="alarm">',
        `<strong class="title">⚠ ${escapeHtml(block.title)}</strong>`,
        `<p>${inlineText(block.text)}</p>`,
        '</div>',
      ]
    case 'step':
      return [`<section class="step${block.noReturn ? ' no-return' : ''}">`, ...block.blocks.flatMap(blockLines), '</section>']
    case 'chapter':
      return ['<section class="chapter">', ...block.blocks.flatMap(blockLines), '</section>']
    case 'picture':
      return ['<figure>', block.svg.trim(), '</figure>']
    case 'measured':
    default:
      return [measuredStart, '<div class="measured">', ...block.blocks.flatMap(blockLines), '</div>', measuredEnd]
  }
}

/** A block of its own, so that what is wrapped is indented; an option is not broken at its hyphens. */
function commandLine(line: string): string {
  const words = line.split(/(?<= )(?=\S)/).map((word) => {
    const html = escapeHtml(word)
    return /^-\S{1,60} *$/.test(word) ? `<span class="option">${html}</span>` : html
  })
  return `<span class="line">${words.join('')}\n</span>`
}

function listLines(style: 'bullet' | 'check' | 'number', items: readonly (readonly Inline[])[]): string[] {
  if (style === 'check') {
    const boxes = items.map((item) => `<li><label><input type="checkbox"><span>${inlineText(item)}</span></label></li>`)
    return ['<ul class="check">', ...boxes, '</ul>']
  }
  const tag = style === 'number' ? 'ol' : 'ul'
  return [`<${tag}>`, ...items.map((item) => `<li>${inlineText(item)}</li>`), `</${tag}>`]
}

function row(tag: 'th' | 'td', cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`
}

function inlineText(parts: readonly Inline[]): string {
  return parts.map(inline).join('')
}

function inline(part: Inline): string {
  if (typeof part === 'string') return escapeHtml(part)
  if ('code' in part) return `<code>${escapeHtml(part.code)}</code>`
  if ('strong' in part) return `<strong>${escapeHtml(part.strong)}</strong>`
  return `${measuredStart}${inlineText(part.measured)}${measuredEnd}`
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escapeHtml(text: string): string {
  return printable(text).replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
}
