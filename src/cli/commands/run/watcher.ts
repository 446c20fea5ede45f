import type { RunWatcher } from '../../../service/index.ts'
import type { Printer } from '../../output/printer.ts'
import { eventText } from './wording.ts'

/** Shows a run while this process works on it: each event a line, progress in between. */
export function watcherOf(print: Printer): RunWatcher {
  return {
    onEvent(event) {
      const text = eventText(event)
      if (print.json) print.progress(event, () => text ?? '')
      else if (text !== undefined) print.note(text)
    },
    onProgress: (progress) => print.progress({ type: 'step-progress', ...progress }, () => `${progress.step}: ${progress.text}`),
  }
}
