import { formatDuration } from '../../../../kernel/index.ts'
import { passedNoReturn, type OpenWait, type RunProgress, type StepProgress, type StepTime } from '../../../../recovery/index.ts'
import { fit, lineWidth, span, textWidth, type Line, type Span } from '../../../output/line.ts'
import { bar } from './bar.ts'
import { isOver, standingOf, type Marks } from './standing.ts'

/** What a picture of a run is made from, besides its progress. */
export interface RunSight {
  /** Of the terminal. No line is wider, nor are there more lines. */
  readonly columns: number
  readonly rows: number
  readonly nowMs: number
  readonly marks: Marks
  /** How long steps usually take. */
  readonly usual: ReadonlyMap<string, StepTime>
  /** Steps that cannot be undone. */
  readonly noReturn: ReadonlySet<string>
  readonly rtoMs?: number
  /** Who works on it, `process 4711 on db-1`, or nobody; absent where that is not known. */
  readonly held?: { readonly by: string | undefined } | undefined
  /** The last that a step said. */
  readonly output: ReadonlyMap<string, string>
}

/** A run as it stands, for a terminal: the same sight gives the same lines. */
export function runPicture(progress: RunProgress, sight: RunSight): Line[] {
  const passed = passedNoReturn(progress, sight.noReturn)
  const head = [titleLine(progress, sight), rtoLine(progress, sight), ...stateLines(progress, sight, passed)]
  const waits = isInterrupted(progress, sight)
    ? [
        [span('no process works on it; what it was doing is not going on:', 'red')],
        ...typed(`holdfast run resume ${progress.runId}`, sight),
      ]
    : progress.waits.flatMap((wait) => waitLines(wait, progress, sight))
  const left = Math.max(1, sight.rows - head.length - waits.length)
  return [...head, ...stepsWithin([...progress.steps.values()], left, sight), ...waits]
    .slice(0, sight.rows)
    .map((line) => fit(line, sight.columns))
}

const stages = {
  preflight: 'looking before it begins',
  steps: 'running',
  undo: 'UNDOING',
  record: 'putting it on record',
  ended: 'ended',
}

function isInterrupted({ stage }: RunProgress, { held }: RunSight): boolean {
  return stage !== 'ended' && held !== undefined && held.by === undefined
}

function titleLine(progress: RunProgress, sight: RunSight): Line {
  const { input, stage, waits, runId, steps, outcome, defect } = progress
  const interrupted = isInterrupted(progress, sight)
  const all = [...steps.values()]
  const doing =
    outcome === undefined
      ? defect === undefined
        ? interrupted
          ? 'INTERRUPTED'
          : waits.length > 0
            ? 'WAITS FOR YOU'
            : stages[stage]
        : `failed: ${defect}`
      : outcome.status
  const style =
    stage === 'ended'
      ? outcome?.status === 'succeeded'
        ? 'green'
        : 'red'
      : interrupted || waits.length > 0 || stage === 'undo'
        ? 'yellow'
        : 'cyan'
  const line: Line = [
    span(input.plan.name, 'bold'),
    span(`  ${doing}`, style),
    span(`  ${all.filter(isOver).length} of ${all.length} steps`),
  ]
  const id = `  ${runId}`
  return lineWidth(line) + textWidth(id) <= sight.columns ? [...line, span(id, 'dim')] : line
}

/** The time since the onset against the objective. */
function rtoLine({ input, endedMs, outcome }: RunProgress, { columns, nowMs, rtoMs, marks }: RunSight): Line {
  const sinceMs = outcome?.timing.rtaMs ?? Math.max(0, (endedMs ?? nowMs) - Date.parse(input.onsetAt))
  const since = `${seconds(sinceMs)} since the onset`
  if (rtoMs === undefined) return [span(since)]
  const leftMs = rtoMs - sinceMs
  const left =
    leftMs >= 0
      ? span(`${seconds(leftMs)} left of RTO ${formatDuration(rtoMs)}`, leftMs < rtoMs / 5 ? 'yellow' : 'green')
      : span(`RTO ${formatDuration(rtoMs)} MISSED by ${seconds(-leftMs)}`, 'red')
  const words: Line = [span(`${since}, `), left]
  const width = Math.min(30, columns - lineWidth(words) - 2)
  return width < 8 ? words : [...bar({ width, elapsedMs: sinceMs, limitMs: rtoMs, marks }), span('  '), ...words]
}

function stateLines(progress: RunProgress, { held, marks }: RunSight, passed: string | undefined): Line[] {
  const way =
    passed === undefined
      ? []
      : [[span(`${marks.line.repeat(3)} point of no return passed: ${passed} ${marks.line.repeat(3)} only forward`, 'yellow')]]
  const cancelled = progress.cancelled === undefined ? [] : [[span(`cancelled: ${progress.cancelled}`, 'yellow')]]
  const by = `by ${progress.input.requestedBy}${held === undefined ? '' : `, held by ${held.by ?? 'nobody'}`}`
  return [...(progress.stage === 'ended' ? [] : [[span(by, 'dim')]]), ...way, ...cancelled]
}

/** What to type so that it goes on. */
function waitLines({ kind, step, untilMs, because, name }: OpenWait, { runId }: RunProgress, sight: RunSight): Line[] {
  const until = untilMs === undefined ? '' : ` (${seconds(Math.max(0, untilMs - sight.nowMs))} left)`
  if (kind === 'approve') {
    const title: Line = [span(`${step} waits for an approval${until}:`, 'yellow')]
    return [title, ...typed(`holdfast run approve ${runId} ${step}`, sight)]
  }
  if (kind === 'commit' || kind === 'commit-late') {
    const title: Line = [span(`all is back; does it stay${until}?`, 'yellow')]
    return [title, ...typed(`holdfast run commit ${runId}`, sight), ...typed(`holdfast run commit ${runId} --undo`, sight)]
  }
  if (kind === 'decide') {
    const title: Line = [span(`${step} needs a decision: `, 'yellow'), span(because ?? 'its outcome is not known')]
    return [title, ...typed(`holdfast run decide ${runId} ${step} done|not-done|stop --why TEXT`, sight)]
  }
  return [[span(`waits for ${name}${until}`, 'yellow')]]
}

/** A command, broken where it is too long for a line in a way that a shell takes. */
function typed(command: string, { columns, marks }: RunSight): Line[] {
  const lines: string[] = []
  for (const word of command.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || textWidth(`${last} ${word}`) > columns - 6) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines.map((line, at) => [
    span(`  ${at === 0 ? marks.prompt : ' '} `, 'yellow'),
    span(`${line}${at < lines.length - 1 ? ' \\' : ''}`, 'bold'),
  ])
}

/** What happens now is always shown; where there is no room for all else, first what is done and then what waits is counted instead. */
function stepsWithin(steps: readonly StepProgress[], rows: number, sight: RunSight): Line[] {
  const idWidth = Math.min(
    24,
    steps.reduce((most, { id }) => Math.max(most, textWidth(id)), 0),
  )
  const linesOf = (step: StepProgress) => stepLines(step, idWidth, sight)
  // Each has a line at least: of thousands, only those are made that are shown.
  const all = steps.length <= rows ? steps.flatMap(linesOf) : undefined
  if (all !== undefined && all.length <= rows) return all

  const over = steps.filter(isOver)
  const waiting = steps.filter(({ standing }) => standing === 'waiting')
  const active = steps.filter((step) => !isOver(step) && step.standing !== 'waiting')
  const spare = rows - 2
  const activeLines = active.length <= spare ? active.flatMap(linesOf) : undefined
  if (activeLines === undefined || activeLines.length > spare) {
    const heads = active.slice(0, Math.max(0, spare)).flatMap((step) => linesOf(step).slice(0, 1))
    const more = active.length - heads.length
    return [counted(over.length, 'over'), ...heads, counted(waiting.length + more, 'more')].slice(0, rows)
  }
  const room = spare - activeLines.length
  const next = waiting.slice(0, Math.min(waiting.length, Math.max(1, room)))
  const lastOver = over.slice(Math.max(0, over.length - Math.max(0, room - next.length)))
  return [
    ...(over.length > lastOver.length ? [counted(over.length - lastOver.length, 'over')] : []),
    ...lastOver.flatMap(linesOf),
    ...activeLines,
    ...next.flatMap(linesOf),
    ...(waiting.length > next.length ? [counted(waiting.length - next.length, 'more')] : []),
  ].slice(0, rows)
}

function counted(count: number, what: 'over' | 'more'): Line {
  const steps = count === 1 ? 'step' : 'steps'
  return [span(what === 'over' ? `  ${count} ${steps} before, over` : `  ${count} more ${steps}`, 'dim')]
}

function stepLines(step: StepProgress, idWidth: number, sight: RunSight): Line[] {
  const { mark, style } = standingOf(step, sight.marks)
  const name = step.id + ' '.repeat(Math.max(0, idWidth - textWidth(step.id)))
  const head: Span[] = [span(`${mark} `, style), span(name, isOver(step) || step.standing === 'waiting' ? undefined : 'bold')]
  const flag = sight.noReturn.size === 0 ? [] : [span(sight.noReturn.has(step.id) ? ` ${sight.marks.noReturn}` : '  ', 'yellow')]
  const lines: Line[] = [[...head, ...flag, span('  '), ...storyOf(step, sight, lineWidth([...head, ...flag]) + 2)]]
  const said = sight.output.get(step.id)
  const isActive = ['running', 'checking', 'undoing', 'settling'].includes(step.standing)
  if (said !== undefined && said !== '' && isActive) lines.push([span(`    ${said}`, 'dim')])
  if (step.error !== undefined && ['failed', 'retrying', 'unknown', 'undo-failed', 'tolerated'].includes(step.standing)) {
    lines.push([span(`    ${step.error}`, 'red')])
  }
  return lines
}

function storyOf(step: StepProgress, sight: RunSight, taken: number): Span[] {
  const { standing, sinceMs, beganMs, attempt, attempts, timeoutMs, retryAtMs, after, kind } = step
  const { nowMs, columns, usual, marks } = sight
  const try_ = attempts > 1 && attempt > 0 ? `, attempt ${attempt} of ${attempts}` : ''
  switch (standing) {
    case 'running':
    case 'checking':
    case 'settling':
    case 'undoing': {
      const elapsedMs = Math.max(0, nowMs - (sinceMs ?? nowMs))
      const usualMs = standing === 'running' ? usual.get(step.id)?.medianMs : undefined
      const verb = { running: '', checking: 'checking ', settling: 'failed; looking at its real state ', undoing: 'undoing ' }[
        standing
      ]
      const limit = timeoutMs === undefined ? '' : ` of ${formatDuration(timeoutMs)}`
      const words = `${verb}${seconds(elapsedMs)}${limit}${usualMs === undefined ? '' : `, usually ${formatDuration(usualMs)}`}${try_}`
      if (timeoutMs === undefined) return [span(words)]
      const width = Math.min(24, columns - taken - textWidth(words) - 2)
      const shown = bar({ width, elapsedMs, limitMs: timeoutMs, marks, ...(usualMs === undefined ? {} : { usualMs }) })
      return width < 8 ? [span(words)] : [...shown, span(`  ${words}`)]
    }
    case 'retrying':
      return [
        span(
          `attempt ${attempt} of ${attempts} failed; again in ${seconds(Math.max(0, (retryAtMs ?? nowMs) - nowMs) + 999)}`,
          'yellow',
        ),
      ]
    case 'waiting':
      return [span(after.length === 0 ? kind : `${kind}, after ${after.join(', ')}`, 'dim')]
    case 'asked':
      return [span('a person must decide', 'yellow')]
    default: {
      const took = beganMs === undefined || sinceMs === undefined ? '' : ` in ${formatDuration(Math.max(0, sinceMs - beganMs))}`
      const words = standing === 'left-out' ? 'left out' : standing === 'undo-failed' ? 'could not be undone' : standing
      return [span(`${words}${standing === 'done' ? took : ''}`, standingOf(step, marks).style ?? 'dim')]
    }
  }
}

/** Whole seconds: what is drawn again and again must not flicker. */
function seconds(ms: number): string {
  return formatDuration(Math.floor(ms / 1000) * 1000)
}
