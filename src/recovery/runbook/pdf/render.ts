import type { Block, RunbookDocument } from '../document.ts'
import { renderMarkdown } from '../markdown.ts'
import { nodesOf } from './blocks.ts'
import { canvasOf, type Canvas } from './canvas.ts'
import { continuationMark, spaceMark } from './command-lines.ts'
import { loadFonts, unknownMark, type Fonts } from './fonts.ts'
import { breakLines } from './lines.ts'
import { paginate, type Frame, type Page } from './paginate.ts'
import { attachedName, noSeal, sealed, sealName } from './seal.ts'

/** A4, in points, with room for a hole punch. */
const paper = { width: 595.28, height: 841.89 }
const margin = { left: 56, right: 46, top: 46, bottom: 62 }
const inner = { width: paper.width - margin.left - margin.right, height: paper.height - margin.top - margin.bottom }
/** A PDF must have one. The same for every file: one that is committed must not change by itself. */
const noDate = new Date(0)

/** As a PDF for paper, A4. The same document is the same bytes. */
export async function renderPdf(document: RunbookDocument): Promise<Buffer> {
  const { title, identity } = document
  const pages = await renderPdfPages({
    title,
    subject: `service=${identity.service} plan=${identity.plan} hash=${identity.hash}`,
    version: identity.version,
    footer: [`${title} · plan ${identity.plan} · Holdfast ${identity.version}`, `plan hash ${identity.hash}`],
    blocks: document.blocks,
    date: noDate,
    note: (isUnknown) =>
      [
        `In commands, a line that begins with ${continuationMark} belongs to the one above, with nothing between them; ${spaceMark} behind it is a space.`,
        isUnknown ? ` ‹U+…› is a character that cannot be printed here; ${attachedName}, attached to this file, has it.` : '',
      ].join(''),
    begin(pdf) {
      Object.assign(pdf.info, { Holdfast: `${sealName}:${noSeal}` })
      attach(pdf, renderMarkdown(document))
    },
  })
  return sealed(pages)
}

export interface PdfPages {
  readonly title: string
  readonly subject: string
  /** Of Holdfast. */
  readonly version: string
  /** Two lines at the foot of every page. */
  readonly footer: readonly [string, string]
  readonly blocks: readonly Block[]
  /** What the marks mean that stand in it; `isUnknown`: of characters that cannot be printed. */
  readonly note: (isUnknown: boolean) => string
  readonly date: Date
  /** Before the first page. */
  readonly begin?: (pdf: PDFKit.PDFDocument) => void
}

/** Blocks on pages, A4. The library is loaded here, for few commands need it. */
export async function renderPdfPages({ title, subject, version, footer, blocks, note, date, begin }: PdfPages): Promise<Buffer> {
  const [{ default: PDFDocument }, fonts] = await Promise.all([import('pdfkit'), loadFonts()])
  const pdf = new PDFDocument({
    size: [paper.width, paper.height],
    margin: 0,
    autoFirstPage: false,
    displayTitle: true,
    lang: 'en',
    info: {
      Title: title,
      Subject: subject,
      Creator: `Holdfast ${version}`,
      Producer: `Holdfast ${version}`,
      CreationDate: date,
    },
  })
  const chunks: Buffer[] = []
  const ended = new Promise<void>((resolve, reject) => {
    pdf
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', resolve)
      .on('error', reject)
  })
  for (const [face, data] of Object.entries(fonts.data)) pdf.registerFont(face, data)
  begin?.(pdf)
  const pages = paginate(nodesOf(withNote(blocks, fonts, note), fonts, inner.width), inner.height)
  const canvas = canvasOf(pdf, fonts)
  for (const [index, page] of pages.entries()) {
    pdf.addPage()
    drawPage(canvas, page)
    drawFooter(canvas, fonts, footer, `page ${index + 1} of ${pages.length}`)
  }
  pdf.end()
  await ended
  return Buffer.concat(chunks)
}

/** With what the marks mean, where the reader sees them first, and only those that there are. */
function withNote([first, ...rest]: readonly Block[], fonts: Fonts, noteOf: PdfPages['note']): Block[] {
  const isUnknown = fonts.pieces(JSON.stringify([first, rest]), 'mono').some(({ text }) => unknownMark.test(text))
  const words = noteOf(isUnknown)
  const note: Block[] = words === '' ? [] : [{ type: 'text', text: [words] }]
  return first === undefined ? note : [first, ...rest.slice(0, 1), ...note, ...rest.slice(1)]
}

/** Not compressed, so that it is found without a reader of PDFs (seal.ts). */
function attach(pdf: PDFKit.PDFDocument, markdown: string): void {
  const file = pdf.ref({ Type: 'EmbeddedFile', Subtype: 'text#2Fmarkdown' })
  Object.assign(file, { compress: false })
  file.end(Buffer.from(markdown))
  const name = new String(attachedName)
  const entry = pdf.ref({ Type: 'Filespec', AFRelationship: 'Source', F: name, UF: name, EF: { F: file, UF: file } })
  entry.end('')
  pdf.addNamedEmbeddedFile(attachedName, entry)
}

function drawPage(canvas: Canvas, { lines, frames }: Page): void {
  for (const frame of frames) drawFrame(canvas, frame)
  for (const { line, x, y } of lines) line.draw(canvas, margin.left + x, margin.top + y)
}

function drawFrame(canvas: Canvas, { style, x, width, top, bottom }: Frame): void {
  const [left, upper, height] = [margin.left + x, margin.top + top, bottom - top]
  switch (style) {
    case 'commands':
      canvas.box(left, upper, width, height, { line: 0.5, fill: '#f6f6f6' })
      canvas.box(left, upper, 2.5, height, { fill: 'black' })
      return
    case 'alarm':
      canvas.box(left, upper, width, height, { line: 2, fill: '#ececec' })
      canvas.box(left + 3, upper + 3, width - 6, height - 6, { line: 0.5 })
      return
    case 'no-return':
      canvas.box(left, upper, width, height, { line: 2 })
      return
    case 'measured':
    default:
      canvas.box(left, upper, 2.5, height, { fill: '#b0b0b0' })
  }
}

function drawFooter(canvas: Canvas, fonts: Fonts, [first, second]: PdfPages['footer'], number: string): void {
  const [size, right, y] = [7.5, margin.left + inner.width, paper.height - margin.bottom + 24]
  canvas.rule(margin.left, y - 11, inner.width, 0.5)
  const about = [{ text: first, face: 'bold' as const }]
  const [shown] = breakLines(about, { fonts, width: inner.width - 80, size })
  canvas.text(shown?.runs ?? [], margin.left, y, size)
  canvas.text([{ text: number, face: 'text' }], right - fonts.width(number, 'text', size), y, size)
  canvas.text([{ text: second, face: 'mono' }], margin.left, y + 11, 7)
}
