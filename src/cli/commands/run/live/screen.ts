import { writeSync } from 'node:fs'
import type { WriteStream } from 'node:tty'
import { lineWidth, paint, type Line } from '../../../output/line.ts'

const hideCursor = '\u001B[?25l'
const showCursor = '\u001B[?25h'
const eraseToEndOfLine = '\u001B[K'
const eraseBelow = '\u001B[J'

/** Lines at the bottom of a terminal that are drawn over again; what they were last stays when it is closed. */
export interface Screen extends Disposable {
  /** One write, and none where nothing has changed. At most as many lines as the terminal has rows, less one. */
  draw(lines: readonly Line[]): void
}

/** @param terminal what is written to: when it goes away, nothing more is drawn, and nothing is thrown */
export function openScreen(terminal: Pick<WriteStream, 'write' | 'on' | 'off' | 'columns'> & { readonly fd: number }): Screen {
  let drawn: { readonly widths: readonly number[]; readonly text: string } = { widths: [], text: '' }
  let columns = terminal.columns
  let isGone = false
  const onError = () => (isGone = true)
  terminal.on('error', onError)
  // However the process ends, the cursor must be there again; nothing but a synchronous write is done by then.
  const onExit = () => {
    if (isGone) return
    try {
      writeSync(terminal.fd, showCursor)
    } catch {
      isGone = true
    }
  }
  process.on('exit', onExit)
  return {
    draw(lines) {
      if (isGone) return
      const text = lines.map((line) => `${paint(line)}${eraseToEndOfLine}\n`).join('')
      if (text === drawn.text && terminal.columns === columns) return
      columns = terminal.columns
      // A terminal that has become narrower has broken lines into several.
      const height = drawn.widths.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / Math.max(1, columns))), 0)
      const back = height === 0 ? hideCursor : `\u001B[${height}A\r`
      terminal.write(`${back}${text}${eraseBelow}`)
      drawn = { widths: lines.map(lineWidth), text }
    },
    [Symbol.dispose]() {
      onExit()
      process.off('exit', onExit)
      terminal.off('error', onError)
    },
  }
}
