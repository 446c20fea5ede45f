import type { Canvas } from './canvas.ts'

/** What pages are filled with. Heights in points; what draws is given its left upper corner. */
export type Node = Line | Gap | Stack | Grid

/** Never cut. */
export interface Line {
  readonly type: 'line'
  readonly height: number
  draw(canvas: Canvas, x: number, y: number): void
  /** Stays on the page of what follows. */
  readonly withNext?: boolean
}

/** Left out at the top of a page. */
export interface Gap {
  readonly type: 'gap'
  readonly height: number
}

export interface Stack {
  readonly type: 'stack'
  readonly children: readonly Node[]
  /** How far its children are moved to the right. */
  readonly indent: number
  /** On one page, where it fits on one. */
  readonly together: boolean
  /** Begins on a page of its own. */
  readonly newPage?: boolean
  /** Drawn around what of it is on a page; its left side is at the stack's own, its right side that far away. */
  readonly frame?: { readonly style: FrameStyle; readonly width: number }
}

export type FrameStyle = 'commands' | 'alarm' | 'no-return' | 'measured'

/** Rows that are never cut; the header is repeated on each page. */
export interface Grid {
  readonly type: 'grid'
  readonly header: Line
  readonly rows: readonly Line[]
}

export const gap = (height: number): Gap => ({ type: 'gap', height })
export const stack = (children: readonly Node[], more: Partial<Omit<Stack, 'type' | 'children'>> = {}): Stack => ({
  type: 'stack',
  children,
  indent: 0,
  together: false,
  ...more,
})

/** Of all of it, on a page without an end. */
export function heightOf(node: Node): number {
  if (node.type === 'stack') return node.children.reduce((sum, child) => sum + heightOf(child), 0)
  return node.type === 'grid' ? [node.header, ...node.rows].reduce((sum, row) => sum + row.height, 0) : node.height
}
