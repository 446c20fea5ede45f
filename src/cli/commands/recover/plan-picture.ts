import { formatDuration } from '../../../kernel/index.ts'
import type { PreparedRecovery, RecoveryForecast } from '../../../service/index.ts'
import { asciiSymbols, boxSymbols, drawLanes, type GraphRow } from '../../output/lanes.ts'
import { fit, lineWidth, span, textWidth, wrap, type Line, type Span } from '../../output/line.ts'

type Step = PreparedRecovery['steps'][number]
type Expected = RecoveryForecast['steps'][number]

export interface PictureOptions {
  /** Of the terminal: no line is wider. */
  readonly columns: number
  /** Whether lines and marks beyond ASCII may be drawn. */
  readonly boxes: boolean
}

/** Below this the graph would leave no room for the words. */
const wordColumns = 24

/** A plan as a graph: what waits for what, what runs at once, and where the way back ends. */
export function planPicture(steps: readonly Step[], forecast: RecoveryForecast, { columns, boxes }: PictureOptions): Line[] {
  const ordered = lineOfNoReturnLast(steps)
  const expected = new Map(forecast.steps.map((step) => [step.id, step]))
  const marks = boxes ? { critical: '●', other: '○', noReturn: '◆' } : { critical: '*', other: 'o', noReturn: '#' }
  const nodes = ordered.map(({ id, after, effect }) => {
    const mark =
      effect === 'point-of-no-return' ? marks.noReturn : expected.get(id)?.critical === true ? marks.critical : marks.other
    return { id, after, mark }
  })
  const rows = drawLanes(nodes, boxes ? boxSymbols : asciiSymbols)
  const narrow = columns - (rows[0]?.node.length ?? 0) < wordColumns
  const numberWidth = String(steps.length).length
  let crossed = false
  return ordered.flatMap((step, index): Line[] => {
    const row = rows[index]
    if (row === undefined) return []
    const graph = narrow ? { node: nodes[index]?.mark ?? '', below: ' ' } : row
    const number = String(index + 1).padStart(numberWidth)
    const lines = stepLines(step, expected.get(step.id), { graph, number, columns })
    if (crossed || step.effect !== 'point-of-no-return') return lines
    crossed = true
    return [noReturnLine(rows[index - 1], { columns, boxes, narrow }), ...lines]
  })
}

export function legend({ boxes }: Pick<PictureOptions, 'boxes'>): Span[] {
  const [critical, other, noReturn] = boxes ? ['●', '○', '◆'] : ['*', 'o', '#']
  return [
    span(`${critical} decides how long it takes`, 'dim'),
    span(`${other} runs beside`, 'dim'),
    span(`${noReturn} cannot be undone`, 'dim'),
  ]
}

/** Steps that need not come behind the point of no return stand before it: whatever stands above the line can be taken back until it is crossed. */
function lineOfNoReturnLast(steps: readonly Step[]): Step[] {
  const behind = new Set<string>()
  for (const { id, after, effect } of steps) {
    if (effect === 'point-of-no-return' || after.some((before) => behind.has(before))) behind.add(id)
  }
  return [...steps.filter(({ id }) => !behind.has(id)), ...steps.filter(({ id }) => behind.has(id))]
}

interface StepPlace {
  readonly graph: Pick<GraphRow, 'node' | 'below'>
  readonly number: string
  readonly columns: number
}

function stepLines(step: Step, expected: Expected | undefined, { graph, number, columns }: StepPlace): Line[] {
  const isFinal = step.effect === 'point-of-no-return'
  const head: Line = [span(`${graph.node} `, isFinal ? 'yellow' : 'cyan'), span(`${number} `, 'dim')]
  const name: Line = [...head, span(step.id, 'bold'), span(`  ${step.kind}`, 'dim')]
  const time = usualTime(step, expected)
  const gap = columns - lineWidth(name) - textWidth(time.text)
  const below: Line = [span(`${graph.below} `, 'cyan'), span(' '.repeat(number.length + 1))]
  const details = wrap(below, detailsOf(step), ' · ', columns)
  if (gap >= 2) return [[...name, span(' '.repeat(gap)), time], ...details]
  return [fit(name, columns), ...wrap(below, [time, ...detailsOf(step)], ' · ', columns)]
}

function usualTime({ skip }: Step, expected: Expected | undefined): Span {
  if (skip !== undefined) return span('left out', 'yellow')
  const time = expected?.time
  if (time === undefined) return span('never run', 'yellow')
  return span(`usually ${formatDuration(time.medianMs)} (${time.runs === 1 ? '1 run' : `${time.runs} runs`})`)
}

function detailsOf({ effect, undo, timeoutMs, attempts, after, group, check, skip }: Step): Span[] {
  if (skip !== undefined) return [span(skip, 'yellow')]
  return [
    effect === 'point-of-no-return' ? span('POINT OF NO RETURN', 'yellow') : span(effect, 'dim'),
    ...(after.length > 1 ? [span(`after ${after.join(', ')}`, 'dim')] : []),
    span(`at most ${formatDuration(timeoutMs)}`, 'dim'),
    span(attempts === 1 ? 'no retry' : `${attempts - 1} ${attempts === 2 ? 'retry' : 'retries'}`, 'dim'),
    ...(check ? [span('checked', 'dim')] : []),
    ...(group === undefined ? [] : [span(`group ${group}`, 'dim')]),
    ...(effect === 'read-only' ? [] : [undo ? span('undo: yes', 'dim') : span('undo: no', 'yellow')]),
  ]
}

/** Drawn across the rails: they cross it downwards only. */
function noReturnLine(
  above: GraphRow | undefined,
  { columns, boxes, narrow }: PictureOptions & { readonly narrow: boolean },
): Line {
  const [line, crossing, down] = boxes ? ['═', '╪', '▼'] : ['=', '|', 'v']
  const rails = narrow || above === undefined ? '' : above.rails.map((goesOn) => (goesOn ? crossing : line)).join(line)
  const begin = (rails === '' ? line : rails).padEnd(narrow ? 1 : (above?.node.length ?? 1), line)
  const words = ` ${down} point of no return: above it a failure is undone, below it only forward `
  const short = ` ${down} point of no return `
  const text = textWidth(begin) + 1 + textWidth(words) <= columns ? words : short
  const rest = Math.max(0, columns - textWidth(begin) - 1 - textWidth(text))
  return fit([span(`${begin}${line}`, 'yellow'), span(text, 'yellow'), span(line.repeat(rest), 'yellow')], columns)
}
