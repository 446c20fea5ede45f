import type { RunbookDocument } from './document.ts'
import { renderHtml } from './html.ts'
import { renderMarkdown } from './markdown.ts'

export const runbookFormats = ['md', 'html', 'pdf'] as const
export type RunbookFormat = (typeof runbookFormats)[number]

/** The formats that are text; a PDF is compared by the Markdown that it carries (pdf/seal.ts). */
export type RunbookTextFormat = Exclude<RunbookFormat, 'pdf'>

export function renderRunbook(document: RunbookDocument, format: RunbookTextFormat): string {
  return format === 'html' ? renderHtml(document) : renderMarkdown(document)
}

/** Of a file that was written by renderRunbook. */
export function formatOf(text: string): RunbookTextFormat {
  return /^\s*<!doctype html>/i.test(text) ? 'html' : 'md'
}
