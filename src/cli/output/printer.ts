import pc from 'picocolors'
import { printable, type HoldfastError } from '../../kernel/index.ts'
import { forTerminal } from './for-terminal.ts'

/** Something that happened during long work. Each area defines its own; `type` names it in NDJSON. */
export interface ProgressEvent {
  readonly type: string
}

/**
 * Results go to stdout, all else to stderr. The only place that knows whether a person or a program reads, and the one that lets no text
 * for a person speak to the terminal.
 */
export interface Printer {
  readonly json: boolean
  /** The command's result: one JSON object with --json, else the text. */
  result<T>(value: T, text: (value: T) => string): void
  /** An event of long work: NDJSON on stderr with --json, else a status line redrawn on a terminal, or a plain line when `text` differs. */
  progress(event: ProgressEvent, text: () => string): void
  /** Something worth a line, but not a result. */
  note(text: string): void
  error(error: HoldfastError): void
}

export function createPrinter(json: boolean): Printer {
  const { stdout, stderr } = process
  let statusShown = false
  let lastPlain = { text: '', atMs: 0 }
  const clearStatus = () => {
    if (!statusShown) return
    stderr.write('\r\u001B[2K')
    statusShown = false
  }
  return {
    json,
    result(value, text) {
      clearStatus()
      stdout.write(json ? `${JSON.stringify(value)}\n` : withNewline(forTerminal(text(value))))
    },
    progress(event, text) {
      if (json) {
        stderr.write(`${JSON.stringify(event)}\n`)
      } else if (stderr.isTTY) {
        stderr.write(`\r\u001B[2K${forTerminal(text()).slice(0, (stderr.columns || 80) - 1)}`)
        statusShown = true
      } else {
        const line = forTerminal(text())
        // Without a terminal a line every two seconds is enough, and none twice.
        if (line === lastPlain.text || performance.now() - lastPlain.atMs < 2000) return
        lastPlain = { text: line, atMs: performance.now() }
        stderr.write(`${line}\n`)
      }
    },
    note(text) {
      clearStatus()
      if (json) stderr.write(`${JSON.stringify({ type: 'note', text })}\n`)
      else stderr.write(withNewline(forTerminal(text)))
    },
    error(error) {
      clearStatus()
      if (json) {
        const { code, message, hint, details } = error
        stderr.write(`${JSON.stringify({ type: 'error', code, message, ...(hint === undefined ? {} : { hint }), details })}\n`)
        return
      }
      stderr.write(`${pc.red('holdfast:')} ${printable(error.message)}\n`)
      if (error.hint !== undefined) stderr.write(`${pc.bold('HINT:')} ${printable(error.hint)}\n`)
    },
  }
}

function withNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`
}
