import { attachedMarkdown, isPdf, isSealWhole } from './pdf/seal.ts'

/** What is compared of a committed file. */
export interface RunbookFile {
  /** The file itself, or the Markdown that a PDF carries; empty for a PDF of somebody else. */
  readonly text: string
  /** Of a PDF of ours: something in it, perhaps on its pages, is no longer as it was written. */
  readonly altered: boolean
}

export function readRunbookFile(file: Uint8Array): RunbookFile {
  if (!isPdf(file)) return { text: Buffer.from(file).toString('utf8'), altered: false }
  const text = attachedMarkdown(file)
  return text === undefined ? { text: '', altered: false } : { text, altered: !isSealWhole(file) }
}
