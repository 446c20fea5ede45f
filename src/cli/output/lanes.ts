/** What a graph is drawn with. */
export interface GraphSymbols {
  readonly vertical: string
  readonly horizontal: string
  readonly cross: string
  /** A rail that goes on, with a branch to the right or left. */
  readonly branchRight: string
  readonly branchLeft: string
  /** A rail that ends, turning right or left. */
  readonly turnRight: string
  readonly turnLeft: string
  /** A rail that ends where others lead past. */
  readonly joinUp: string
}

export const boxSymbols: GraphSymbols = {
  vertical: '│',
  horizontal: '─',
  cross: '┼',
  branchRight: '├',
  branchLeft: '┤',
  turnRight: '╰',
  turnLeft: '╯',
  joinUp: '┴',
}

export const asciiSymbols: GraphSymbols = {
  vertical: '|',
  horizontal: '-',
  cross: '+',
  branchRight: '+',
  branchLeft: '+',
  turnRight: "'",
  turnLeft: "'",
  joinUp: '+',
}

export interface GraphNode {
  readonly id: string
  readonly after: readonly string[]
  /** One character. */
  readonly mark: string
}

export interface GraphRow {
  readonly id: string
  /** The node with what leads to it from above: every other column is a rail. */
  readonly node: string
  /** The rails that go on below it, for further lines of text about the node. */
  readonly below: string
  /** How many rails go on, by column; for a line that is drawn across them. */
  readonly rails: readonly boolean[]
}

/**
 * Draws steps that wait for each other as rails, as logs of version control do: a step stands on a rail, rails of those that it waits for
 * lead to it from above, and steps on rails beside each other run at once. Takes them in an order in which they can run. All rows are equally wide.
 */
export function drawLanes(nodes: readonly GraphNode[], symbols: GraphSymbols): GraphRow[] {
  const dependentsLeft = new Map<string, number>()
  const reduced = withoutDetours(nodes)
  for (const { after } of reduced) for (const before of after) dependentsLeft.set(before, (dependentsLeft.get(before) ?? 0) + 1)
  /** Whose rail each column is. */
  const lanes: (string | undefined)[] = []
  const drawn = reduced.map(({ id, after, mark }) => {
    const parents = new Set(after)
    const ended = new Set<number>()
    const going = new Set<number>()
    for (const [lane, owner] of lanes.entries()) {
      if (owner === undefined || !parents.has(owner)) continue
      const left = (dependentsLeft.get(owner) ?? 1) - 1
      dependentsLeft.set(owner, left)
      if (left === 0) ended.add(lane)
      else going.add(lane)
    }
    const own = ended.size > 0 ? Math.min(...ended) : freeLane(lanes)
    const row = nodeRow({ lanes, own, ended, going, mark, symbols })
    for (const lane of ended) lanes[lane] = undefined
    lanes[own] = (dependentsLeft.get(id) ?? 0) > 0 ? id : undefined
    return { id, row, rails: lanes.map((owner) => owner !== undefined) }
  })
  const width = Math.max(1, ...drawn.map(({ row }) => row.length))
  return drawn.map(({ id, row, rails }) => ({
    id,
    node: row.join('').padEnd(width),
    below: rails
      .map((goesOn) => (goesOn ? symbols.vertical : ' '))
      .join(' ')
      .padEnd(width),
    rails,
  }))
}

function freeLane(lanes: readonly (string | undefined)[]): number {
  const free = lanes.indexOf(undefined)
  return free === -1 ? lanes.length : free
}

interface NodeRow {
  readonly lanes: readonly (string | undefined)[]
  readonly own: number
  readonly ended: ReadonlySet<number>
  readonly going: ReadonlySet<number>
  readonly mark: string
  readonly symbols: GraphSymbols
}

/** Rails in even columns, what leads between them in odd ones. */
function nodeRow({ lanes, own, ended, going, mark, symbols }: NodeRow): string[] {
  const leading = [own, ...ended, ...going]
  const [first, last] = [Math.min(...leading), Math.max(...leading)]
  const cells: string[] = []
  for (let lane = 0; lane < Math.max(lanes.length, own + 1); lane++) {
    cells[2 * lane] =
      lane === own
        ? mark
        : railSymbol({ isOn: lanes[lane] !== undefined, ends: ended.has(lane), leads: going.has(lane) }, symbols, {
            isFirst: lane === first,
            isLast: lane === last,
            isWithin: lane > first && lane < last,
          })
    cells[2 * lane + 1] = lane >= first && lane < last ? symbols.horizontal : ' '
  }
  // Nothing leads on from the last rail.
  return cells.slice(0, -1)
}

/** A rail in the row of a step that stands on another: it ends there, leads there and goes on, or only passes. */
function railSymbol(
  { isOn, ends, leads }: { readonly isOn: boolean; readonly ends: boolean; readonly leads: boolean },
  symbols: GraphSymbols,
  { isFirst, isLast, isWithin }: { readonly isFirst: boolean; readonly isLast: boolean; readonly isWithin: boolean },
): string {
  if (ends) return isWithin ? symbols.joinUp : isFirst ? symbols.turnRight : symbols.turnLeft
  if (leads && isFirst) return symbols.branchRight
  if (leads && isLast) return symbols.branchLeft
  if (isWithin) return isOn ? symbols.cross : symbols.horizontal
  return isOn ? symbols.vertical : ' '
}

/** Without what is said already through others: a step that waits for b, which waits for a, need not be seen to wait for a. */
function withoutDetours(nodes: readonly GraphNode[]): GraphNode[] {
  const ancestors = new Map<string, Set<string>>()
  return nodes.map((node) => {
    const direct = [...new Set(node.after)].filter((before) => ancestors.has(before))
    const all = new Set<string>(direct)
    for (const before of direct) for (const far of ancestors.get(before) ?? []) all.add(far)
    ancestors.set(node.id, all)
    return { ...node, after: direct.filter((before) => !direct.some((other) => ancestors.get(other)?.has(before) === true)) }
  })
}
