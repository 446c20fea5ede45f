import { runBackground, type RunWatcher } from '../../../service/index.ts'
import type { Printer } from '../../output/printer.ts'
import { openLiveView } from './live/live-view.ts'
import { eventText } from './wording.ts'

/** Whether a live picture can be drawn: stderr is a terminal that can move its cursor, and nobody asked for JSON. */
export function canDraw(print: Printer): boolean {
  return !print.json && process.stderr.isTTY && process.env.TERM !== 'dumb'
}

/**
 * Shows a run while this process works on it: live on a terminal, else each event a line. The terminal may go away meanwhile; the work
 * goes on, and `run watch` sees it from another.
 */
export async function watching<T>(print: Printer, catalogPath: string, work: (watcher: RunWatcher) => Promise<T>): Promise<T> {
  const onHangUp = () => {}
  process.on('SIGHUP', onHangUp)
  try {
    if (!canDraw(print)) return await work(lineWatcher(print))
    using view = openLiveView(process.stderr, ({ input }) => runBackground(catalogPath, input))
    return await work({ onEvent: (event) => view.onEvent(event), onProgress: (progress) => view.onProgress(progress) })
  } finally {
    process.off('SIGHUP', onHangUp)
  }
}

export function lineWatcher(print: Printer): Required<RunWatcher> {
  return {
    onEvent(event) {
      const text = eventText(event)
      if (print.json) print.progress(event, () => text ?? '')
      else if (text !== undefined) print.note(text)
    },
    onProgress: (progress) => print.progress({ type: 'step-progress', ...progress }, () => `${progress.step}: ${progress.text}`),
  }
}
