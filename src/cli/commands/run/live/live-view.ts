import { hostname } from 'node:os'
import type { ActionProgress } from '../../../../actions/index.ts'
import type { RunEvent } from '../../../../durable/index.ts'
import { afterEvent, type RunProgress } from '../../../../recovery/index.ts'
import type { RunBackground } from '../../../../service/index.ts'
import { inAscii } from '../../../output/line.ts'
import { drawsBoxes } from '../../../output/terminal.ts'
import { runPicture } from './run-picture.ts'
import { openScreen } from './screen.ts'
import { asciiMarks, boxMarks } from './standing.ts'

const drawEveryMs = 500
const soonMs = 60

export interface LiveView extends Disposable {
  onEvent(event: RunEvent): void
  onProgress(progress: ActionProgress): void
}

/**
 * Shows a run on a terminal as it goes, and leaves its last state there. Whatever becomes of the terminal, the run is not touched.
 *
 * @param background asked once the plan is known; what it fails to tell is not shown
 */
export function openLiveView(
  terminal: typeof process.stderr,
  background: (progress: RunProgress) => Promise<RunBackground>,
  holder: string | undefined = `process ${process.pid} on ${hostname()}`,
): LiveView {
  const screen = openScreen(terminal)
  const boxes = drawsBoxes()
  const marks = boxes ? boxMarks : asciiMarks
  const output = new Map<string, string>()
  let progress: RunProgress | undefined
  let known: RunBackground = { usual: new Map(), noReturn: new Set() }
  let soon: NodeJS.Timeout | undefined

  const draw = () => {
    soon = undefined
    if (progress === undefined) return
    // A terminal that does not know its size says 0.
    const [columns, rows] = [terminal.columns || 80, terminal.rows || 24]
    const heldBy = progress.resumedBy === undefined ? holder : `process ${progress.resumedBy.pid} on ${progress.resumedBy.host}`
    const sight = { ...known, columns: columns - 1, rows: Math.max(4, rows - 1), nowMs: Date.now(), marks, output }
    const lines = runPicture(progress, heldBy === undefined ? sight : { ...sight, holder: heldBy })
    screen.draw(boxes ? lines : lines.map(inAscii))
  }
  const drawSoon = () => {
    soon ??= setTimeout(draw, soonMs)
  }
  const ticking = setInterval(draw, drawEveryMs)
  terminal.on('resize', drawSoon)
  return {
    onEvent(event) {
      progress = afterEvent(progress, event)
      if (event.type === 'step-started') output.delete(event.step)
      if (event.type === 'submitted' && progress !== undefined) {
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
      clearTimeout(soon)
      terminal.off('resize', drawSoon)
      draw()
      screen[Symbol.dispose]()
    },
  }
}
