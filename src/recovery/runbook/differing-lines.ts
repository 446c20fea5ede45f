/** A place where two texts differ. `line` counts from 1, in the first of them. */
export interface DifferingLine {
  readonly line: number
  /** What stands there; absent where a line is missing. */
  readonly found?: string
  /** What should; absent where a line is too many. */
  readonly expected?: string
}

const maxCells = 4_000_000

/** Where the lines of `found` differ from those of `expected`, by their longest common subsequence; of very long ones only the first place. */
export function differingLines(found: string, expected: string): DifferingLine[] {
  const [a, b] = [found.split('\n'), expected.split('\n')]
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let [endA, endB] = [a.length, b.length]
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA--
    endB--
  }
  const [left, right] = [a.slice(start, endA), b.slice(start, endB)]
  if (left.length * right.length > maxCells) return [place(start, left[0], right[0])]
  return pair(walk(left, right), start)
}

type Edit = { readonly at: number; readonly found?: string; readonly expected?: string }

function walk(a: readonly string[], b: readonly string[]): Edit[] {
  const width = b.length + 1
  const common = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number) => common[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const edits: Edit[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i++
      j++
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) edits.push({ at: i, found: a[i++] ?? '' })
    else edits.push({ at: i, expected: b[j++] ?? '' })
  }
  return edits
}

/** A line too many with the missing one behind it is a changed line. */
function pair(edits: readonly Edit[], start: number): DifferingLine[] {
  const places: DifferingLine[] = []
  for (let index = 0; index < edits.length; index++) {
    const [edit, next] = [edits[index], edits[index + 1]]
    if (edit === undefined) continue
    const isChange = edit.found !== undefined && next?.expected !== undefined && next.at === edit.at + 1
    places.push(place(start + edit.at, edit.found, isChange ? next.expected : edit.expected))
    if (isChange) index++
  }
  return places
}

function place(at: number, found: string | undefined, expected: string | undefined): DifferingLine {
  return { line: at + 1, ...(found === undefined ? {} : { found }), ...(expected === undefined ? {} : { expected }) }
}
