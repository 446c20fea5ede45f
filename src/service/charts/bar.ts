import { element } from './svg.ts'

export interface Bar {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  /** It is over its objective: striped, since paper may have no colours. */
  readonly missed: boolean
}

/** How long the shortest bar is: that there is one says that something was proven, however small it is. */
export const leastSize = 4

/** A bar with an edge, so that a thin one is seen, and a light print of it too. */
export function barElements({ x, y, width, height, missed }: Bar): string[] {
  const fill = missed ? '#9b1c16' : '#1f4f86'
  return [
    element('rect', { x, y, width, height, fill, stroke: '#000', 'stroke-width': 1 }),
    ...(missed ? [stripes(x, y, width, height)] : []),
  ]
}

function stripes(x: number, y: number, width: number, height: number): string {
  const count = Math.max(0, Math.ceil(width / 8) - 1)
  const d = Array.from({ length: count }, (_, index) => `M${x + (index + 1) * 8} ${y}v${height}`).join('')
  return element('path', { d, stroke: '#fff', 'stroke-width': 2 })
}
