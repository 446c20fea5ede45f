import { hostname } from 'node:os'
import type { ActionProgress } from '../../../../actions/index.ts'
import type { RunEvent } from '../../../../durable/index.ts'
import { afterEvents, type RunProgress } from '../../../../recovery/index.ts'
import type { RunBackground } from '../../../../service/index.ts'
import { inAscii } from '../../../output/line.ts'
import { drawsBoxes } from '../../../output/terminal.ts'
import { runPicture } from './run-picture.ts'
import { openScreen } from './screen.ts'
import { asciiMarks, boxMarks } from './standing.ts'

const drawEveryMs = 500
const askHolderEveryMs = 1000
const soonMs = 60

export interface LiveView extends Disposable {
  onEvent(event: RunEvent): void
  onProgress(progress: ActionProgress): void
}

/**
 * Shows a run on a terminal as it goes, and leaves its last state there. Whatever becomes of the terminal, the run is not touched.
 *
 * @param background asked once the plan is known; what it fails to tell is not shown
 * @param holder who works on it, asked again and again: `process 4711 on db-1`, undefined for nobody
 */
export function openLiveView(
  terminal: typeof process.stderr,
  background: (progress: RunProgress) => Promise<RunBackground>,
  holder: (runId: string) => Promise<string | undefined> = () => Promise.resolve(`process ${process.pid} on ${hostname()}`),
): LiveView {
  const screen = openScreen(terminal)
  const boxes = drawsBoxes()
  const marks = boxes ? boxMarks : asciiMarks
  const output = new Map<string, string>()
  let progress: RunProgress | undefined
  let unfolded: RunEvent[] = []
  let known: RunBackground = { usual: new Map(), noReturn: new Set() }
  let soon: NodeJS.Timeout | undefined
  let held: { readonly by: string | undefined } | undefined

  /** Many at once: a run that is watched from its beginning tells of thousands. */
  const fold = () => {
    progress = afterEvents(progress, unfolded)
    unfolded = []
  }
  const draw = () => {
    soon = undefined
    fold()
    if (progress === undefined) return
    // A terminal that does not know its size says 0.
    const [columns, rows] = [terminal.columns || 80, terminal.rows || 24]
    const sight = { ...known, columns: columns - 1, rows: Math.max(4, rows - 1), nowMs: Date.now(), marks, output, held }
    const lines = runPicture(progress, sight)
    screen.draw(boxes ? lines : lines.map(inAscii))
  }
  const drawSoon = () => {
    soon ??= setTimeout(draw, soonMs)
  }
  const askHolder = () => {
    if (progress === undefined || progress.stage === 'ended') return
    holder(progress.runId).then(
      (by) => (held = { by }),
      () => {},
    )
  }
  const ticking = setInterval(draw, drawEveryMs)
  const asking = setInterval(askHolder, askHolderEveryMs)
  terminal.on('resize', drawSoon)
  return {
    onEvent(event) {
      unfolded.push(event)
      if (event.type === 'step-started') output.delete(event.step)
      if (event.type === 'submitted') fold()
      if (event.type === 'submitted' && progress !== undefined) {
        askHolder()
        background(progress).then(
          (found) => {
            known = found
            drawSoon()
          },
          () => {},
        )
      }
      drawSoon()
    },
    onProgress({ step, text }) {
      output.set(step, text)
      drawSoon()
    },
    [Symbol.dispose]() {
      clearInterval(ticking)
      clearInterval(asking)
      clearTimeout(soon)
      terminal.off('resize', drawSoon)
      draw()
      screen[Symbol.dispose]()
    },
  }
}
