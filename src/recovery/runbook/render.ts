import type { RunbookDocument } from './document.ts'
import { renderHtml } from './html.ts'
import { renderMarkdown } from './markdown.ts'

export const runbookFormats = ['md', 'html'] as const
export type RunbookFormat = (typeof runbookFormats)[number]

export function renderRunbook(document: RunbookDocument, format: RunbookFormat): string {
  return format === 'html' ? renderHtml(document) : renderMarkdown(document)
}

/** Of a file that was written by renderRunbook. */
export function formatOf(text: string): RunbookFormat {
  return /^\s*<!doctype html>/i.test(text) ? 'html' : 'md'
}
