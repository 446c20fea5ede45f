import { isUtf8 } from 'node:buffer'
import { open } from 'node:fs/promises'
import { HoldfastError, messageOf, systemCode } from '../kernel/index.ts'

const maxBytes = 16 * 1024 * 1024

/** A catalog's text, or the one thing that is wrong with it as a text and where (offset into `text`). */
export interface CatalogText {
  readonly text: string
  readonly wrong?: {
    readonly code: 'not-text' | 'too-large'
    readonly offset: number
    readonly message: string
    readonly hint: string
  }
}

/** Throws `catalog-not-found` when there is no such file. */
export async function readCatalogFile(path: string): Promise<CatalogText> {
  const bytes = await readBytes(path)
  if (bytes.length > maxBytes)
    return {
      text: '',
      wrong: {
        code: 'too-large',
        offset: 0,
        message: `it is larger than ${maxBytes / 1024 ** 2} MiB`,
        hint: 'is this the catalog?',
      },
    }
  return decode(bytes)
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    await using handle = await open(path, 'r')
    const pieces: Buffer[] = []
    let length = 0
    for await (const piece of handle.createReadStream({
      autoClose: false,
      highWaterMark: 1024 * 1024,
    }) as AsyncIterable<Buffer>) {
      pieces.push(piece)
      length += piece.length
      if (length > maxBytes) break
    }
    return Buffer.concat(pieces)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EACCES' || code === 'EPERM') throw error
    throw new HoldfastError('catalog-not-found', {
      message:
        code === 'ENOENT' || code === 'ENOTDIR'
          ? `there is no catalog at ${path}`
          : `${path} cannot be read as a catalog: ${messageOf(error)}`,
      hint:
        code === 'EISDIR'
          ? 'name the file in it, such as holdfast.yaml'
          : '`holdfast init` writes a starter; --catalog FILE names another one',
      cause: error,
      details: { path },
    })
  }
}

function decode(bytes: Buffer): CatalogText {
  const utf16 = bytes.length >= 2 && ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
  if (utf16) return { text: '', wrong: { code: 'not-text', offset: 0, message: 'it is UTF-16', hint: 'save it as UTF-8' } }
  // A byte order mark is allowed, and is no part of the first column.
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '')
  const control = text.search(/(?![\t\n\v\f\r\x7F-\x9F])\p{Cc}/u)
  const broken = isUtf8(bytes) ? -1 : text.indexOf('\uFFFD')
  const offset = control < 0 || broken < 0 ? Math.max(control, broken) : Math.min(control, broken)
  if (offset < 0) return { text }
  const what =
    text[offset] === '\uFFFD'
      ? 'bytes that are not UTF-8'
      : `the control character U+${text.charCodeAt(offset).toString(16).toUpperCase().padStart(4, '0')}`
  return {
    text,
    wrong: {
      code: 'not-text',
      offset,
      message: `it holds ${what}`,
      hint: 'a catalog is a YAML text in UTF-8: is this the right file?',
    },
  }
}
