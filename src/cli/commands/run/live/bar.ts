import { span, type Span } from '../../../output/line.ts'
import type { Marks } from './standing.ts'

export interface BarSight {
  /** In columns; nothing is drawn below 1. */
  readonly width: number
  readonly elapsedMs: number
  /** Where the bar ends. */
  readonly limitMs: number
  /** Marked on it, where it lies within. */
  readonly usualMs?: number
  readonly marks: Pick<Marks, 'full' | 'empty' | 'usual'>
}

/** Time that has passed, of the time that there is. Beyond what is usual it changes its colour. */
export function bar({ width, elapsedMs, limitMs, usualMs, marks }: BarSight): Span[] {
  if (width < 1) return []
  const columnOf = (ms: number) => Math.min(width, Math.max(0, Math.floor((ms / Math.max(1, limitMs)) * width)))
  const filled = columnOf(elapsedMs)
  const usualAt = usualMs === undefined || usualMs > limitMs ? -1 : Math.min(width - 1, columnOf(usualMs))
  const style = elapsedMs > limitMs ? 'red' : usualMs !== undefined && elapsedMs > usualMs ? 'yellow' : 'green'
  const cells = Array.from({ length: width }, (_, at) => (at === usualAt ? marks.usual : at < filled ? marks.full : marks.empty))
  return [span(cells.slice(0, filled).join(''), style), span(cells.slice(filled).join(''), 'dim')]
}
