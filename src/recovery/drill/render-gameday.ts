import { renderHtmlPage } from '../runbook/html.ts'
import { renderMarkdownBlocks } from '../runbook/markdown.ts'
import { gamedayBlocks, type GamedayFacts } from './gameday.ts'

export const gamedayFormats = ['text', 'md', 'html'] as const
export type GamedayFormat = (typeof gamedayFormats)[number]

/** The record of a drill. As text: Markdown without its escapes, for a terminal. */
export function renderGameday(facts: GamedayFacts, format: GamedayFormat): string {
  const blocks = gamedayBlocks(facts)
  if (format === 'html') return renderHtmlPage(`Drill of ${facts.plan}`, [], blocks)
  const markdown = renderMarkdownBlocks(blocks)
  return format === 'md' ? markdown : plain(markdown)
}

function plain(markdown: string): string {
  return markdown
    .replaceAll(/\\([\\`*_[\]~$|#+=.)-])/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replaceAll(/\*\*|`/g, '')
}
