import { createHash } from 'node:crypto'

/**
 * What a PDF carries so that it can be checked: the same runbook as Markdown, an attached file that is not compressed, and in its document
 * information a seal: the SHA-256 of the file in which 64 zeros stand for the seal. It shows that the pages are still those that were written
 * with that Markdown. It is no signature: who wants to deceive can compute it.
 */
export const noSeal = '0'.repeat(64)
export const sealName = 'HoldfastSeal'
export const attachedName = 'RUNBOOK.md'

export function isPdf(file: Uint8Array): boolean {
  return Buffer.from(file.subarray(0, 5)).toString('latin1') === '%PDF-'
}

/** The Markdown that a PDF carries; undefined when none does, or it was not written by Holdfast. */
export function attachedMarkdown(pdf: Uint8Array): string | undefined {
  const latin = Buffer.from(pdf).toString('latin1')
  const match = /\/Length (\d+)\n>>\nstream\n(?=<!-- holdfast-runbook )/.exec(latin)
  if (match === null) return undefined
  const start = match.index + match[0].length
  return Buffer.from(pdf.subarray(start, start + Number(match[1]))).toString('utf8')
}

export function sealed(pdf: Uint8Array): Buffer {
  const bytes = Buffer.from(pdf)
  const at = sealPlace(bytes)
  if (at === undefined) throw new Error('a PDF without a place for its seal')
  bytes.write(createHash('sha256').update(bytes).digest('hex'), at, 'latin1')
  return bytes
}

/** Whether nothing was changed since it was written. */
export function isSealWhole(pdf: Uint8Array): boolean {
  const bytes = Buffer.from(pdf)
  const at = sealPlace(bytes)
  if (at === undefined) return false
  const seal = bytes.toString('latin1', at, at + noSeal.length)
  bytes.write(noSeal, at, 'latin1')
  return createHash('sha256').update(bytes).digest('hex') === seal
}

/** Behind the attached file, which could hold anything; the pages are compressed. */
function sealPlace(pdf: Buffer): number | undefined {
  const start = `(${sealName}:`
  const at = pdf.lastIndexOf(start, pdf.length, 'latin1')
  const place = at + start.length
  return at === -1 || pdf.toString('latin1', place + noSeal.length, place + noSeal.length + 1) !== ')' ? undefined : place
}
