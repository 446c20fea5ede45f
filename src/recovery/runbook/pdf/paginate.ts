import { heightOf, type FrameStyle, type Grid, type Line, type Node, type Stack } from './node.ts'

export interface Page {
  readonly lines: readonly { readonly line: Line; readonly x: number; readonly y: number }[]
  readonly frames: readonly Frame[]
}

export interface Frame {
  readonly style: FrameStyle
  readonly x: number
  readonly width: number
  readonly top: number
  readonly bottom: number
}

/** Puts nodes on pages of that height. Positions are from the left upper corner of what a page may hold. */
export function paginate(nodes: readonly Node[], pageHeight: number): Page[] {
  const pages: { lines: { line: Line; x: number; y: number }[]; frames: Frame[] }[] = []
  const open: { stack: Stack; x: number; top: number }[] = []
  let y = 0
  const page = () => pages.at(-1) ?? start()
  function start() {
    const next = { lines: [], frames: [] }
    pages.push(next)
    y = 0
    for (const entry of open) entry.top = 0
    return next
  }
  function closeFrames() {
    for (const { stack, x, top } of open) frame(stack, x, top)
  }
  function frame({ frame: wanted }: Stack, x: number, top: number) {
    if (wanted !== undefined && y > top) page().frames.push({ ...wanted, x, top, bottom: y })
  }
  function nextPage() {
    if (page().lines.length === 0) return
    closeFrames()
    start()
  }
  function put(line: Line, x: number) {
    if (y + line.height > pageHeight) nextPage()
    page().lines.push({ line, x, y })
    y += line.height
  }
  function putGrid({ header, rows }: Grid, x: number) {
    const [first] = rows
    if (y + header.height + (first?.height ?? 0) > pageHeight) nextPage()
    put(header, x)
    for (const row of rows) {
      if (y + row.height > pageHeight) {
        nextPage()
        put(header, x)
      }
      put(row, x)
    }
  }
  function putAll(children: readonly Node[], x: number) {
    for (const [index, child] of children.entries()) {
      const needed = neededFrom(children, index, pageHeight)
      if (y > 0 && y + needed > pageHeight && needed <= pageHeight) nextPage()
      if (child.type === 'gap') {
        // Within a frame it is the space between border and text.
        if (y > 0 || open.some(({ stack }) => stack.frame !== undefined)) y = Math.min(pageHeight, y + child.height)
      } else if (child.type === 'line') put(child, x)
      else if (child.type === 'grid') putGrid(child, x)
      else {
        if (child.newPage === true) nextPage()
        const entry = { stack: child, x, top: y }
        open.push(entry)
        putAll(child.children, x + child.indent)
        open.pop()
        frame(child, x, entry.top)
      }
    }
  }
  putAll(nodes, 0)
  return pages
}

/** How much must fit on the page so that the node may begin there: all that is kept together with it. */
function neededFrom(siblings: readonly Node[], index: number, pageHeight: number): number {
  const node = siblings[index]
  if (node === undefined) return 0
  const rest = () => neededFrom(siblings, index + 1, pageHeight)
  switch (node.type) {
    case 'line':
      return node.height + (node.withNext === true ? rest() : 0)
    case 'gap':
      return node.height + rest()
    case 'grid':
      return node.header.height + (node.rows[0]?.height ?? 0)
    case 'stack':
    default: {
      const whole = heightOf(node)
      return node.together && whole <= pageHeight ? whole : Math.min(whole, neededFrom(node.children, 0, pageHeight))
    }
  }
}
