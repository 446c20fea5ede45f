import { formatDuration, formatSize } from '../../kernel/index.ts'
import type { Block } from '../../recovery/index.ts'

/** What nobody knows is called so, never left out. */
export const unknownText = 'unknown'

export function durationOr(ms: number | undefined): string {
  return ms === undefined ? unknownText : formatDuration(ms)
}

export function sizeOr(bytes: number | undefined): string {
  return bytes === undefined ? unknownText : formatSize(bytes)
}

/** `2026-11-27 14:03 UTC`. */
export function timeText(time: Date | string): string {
  const at = typeof time === 'string' ? new Date(time) : time
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

export function dayText(time: Date | string): string {
  return timeText(time).slice(0, 10)
}

/** `nas #42`: where it can be looked up. */
export function placeText(records: readonly { readonly repository: string; readonly seq: number }[]): string {
  return records.map(({ repository, seq }) => `${repository} #${seq}`).join(', ')
}

/** Codes of reasons are words with hyphens. */
export function reasonText(code: string): string {
  return code.replaceAll('-', ' ')
}

/** A table, or a sentence where there is nothing to stand in it: an empty table might be an oversight. */
export function tableOr<Row>(
  rows: readonly Row[],
  columns: readonly (readonly [title: string, value: (row: Row) => string])[],
  otherwise: string,
): Block {
  if (rows.length === 0) return { type: 'text', text: [otherwise] }
  return {
    type: 'table',
    columns: columns.map(([title]) => title),
    rows: rows.map((row) => columns.map(([, value]) => value(row))),
  }
}

export function chapter(number: number, title: string, blocks: readonly Block[]): Block {
  return { type: 'chapter', blocks: [{ type: 'heading', level: 2, text: `${number}. ${title}` }, ...blocks] }
}
