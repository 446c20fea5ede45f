import { describe, expect, test } from 'vitest'
import { nothingKnown, runbookOf, shopText } from '../../../../test/support/runbooks.ts'
import { renderMarkdown } from '../markdown.ts'
import { readRunbookFile } from '../read-file.ts'
import { wordRunbook } from '../word.ts'
import { spaceMark, wrapCommand } from './command-lines.ts'
import { loadFonts } from './fonts.ts'
import { gap, stack, type Line } from './node.ts'
import { paginate, type Page } from './paginate.ts'
import { renderPdf } from './render.ts'

const documentOf = async (text = shopText()) => wordRunbook(await runbookOf(text), nothingKnown)

describe('a PDF', () => {
  test('is the same bytes for the same runbook, and others for another', async () => {
    const pdf = await renderPdf(await documentOf())
    expect((await renderPdf(await documentOf())).equals(pdf)).toBe(true)
    const other = await renderPdf(await documentOf(shopText().replace('timeout: 2m', 'timeout: 4m')))
    expect(other.equals(pdf)).toBe(false)
  })

  test('carries its Markdown whole, whatever stands in it', async () => {
    const document = await documentOf(shopText({ prerequisites: '["endstream (HoldfastSeal:0)", "日本 → ё ✓"]' }))
    expect(readRunbookFile(await renderPdf(document))).toEqual({ text: renderMarkdown(document), altered: false })
  })

  test('shows that a single byte of it was changed', async () => {
    const pdf = await renderPdf(await documentOf())
    const places = Array.from({ length: 40 }, (_, index) => 100 + Math.floor(((pdf.length - 200) * index) / 40))
    const unseen = places.filter((place) => {
      const changed = Buffer.from(pdf)
      changed[place] = (changed[place] ?? 0) ^ 1
      const { text, altered } = readRunbookFile(changed)
      return text !== '' && !altered
    })
    expect(unseen).toEqual([])
    const appended = readRunbookFile(Buffer.concat([pdf, Buffer.from('\n% more')]))
    expect(appended.altered).toBe(true)
  })

  test('of somebody else is no runbook', () => {
    expect(readRunbookFile(Buffer.from('%PDF-1.3\n%%EOF'))).toEqual({ text: '', altered: false })
  })
})

test('a wrapped command loses nothing, and shows the spaces at which it was broken', () => {
  const command = `psql  --set x='${'ab,'.repeat(90)}'   -c "select 1"  ${'x'.repeat(95)} end`
  for (const columns of [10, 33, 80]) {
    const parts = wrapCommand(command, columns)
    expect(parts.every(({ text }) => text.length <= columns)).toBe(true)
    expect(parts.map(({ continued }) => continued)).toEqual(parts.map((_, index) => index > 0))
    expect(parts.slice(1).some(({ text }) => text.startsWith(' '))).toBe(false)
    expect(parts.map(({ text }) => text.replace(/^␣/, ' ')).join('')).toBe(command)
  }
  expect(wrapCommand('aaaa bbbb', 5).map(({ text }) => text)).toEqual(['aaaa', `${spaceMark}bbbb`])
  expect(wrapCommand('aaあいbb', 5, (letter) => (letter > 'z' ? 2 : 1)).map(({ text }) => text)).toEqual(['aaあ', 'いbb'])
  expect(wrapCommand('', 5)).toEqual([{ text: '', continued: false }])
})

test('a character without a glyph is named, and all others are kept', async () => {
  const fonts = await loadFonts()
  const shown = (text: string, face: 'text' | 'mono') =>
    fonts
      .pieces(text, face)
      .map((piece) => piece.text)
      .join('')
  for (const face of ['text', 'mono'] as const) {
    expect(shown('→ ✓ – … ü ё ↪ ␣ ⚠', face)).toBe('→ ✓ – … ü ё ↪ ␣ ⚠')
    expect(shown('a日🦖b', face)).toBe('a‹U+65E5›‹U+1F996›b')
  }
})

describe('pages', () => {
  const line = (height = 10, withNext = false): Line => ({ type: 'line', height, withNext, draw: () => {} })
  const heights = (pages: readonly Page[]) => pages.map(({ lines }) => lines.map(({ line: { height } }) => height))

  test('keep a heading with what follows, over gaps and into what is kept together', () => {
    const block = stack([line(31), line(32)], { together: true })
    expect(heights(paginate([line(40), line(11, true), gap(5), block], 100))).toEqual([[40], [11, 31, 32]])
  })

  test('cut only what does not fit on one', () => {
    expect(heights(paginate([line(50), stack([line(60), line(30), line(20)], { together: true })], 100))).toEqual([
      [50],
      [60, 30],
      [20],
    ])
  })

  test('repeat the header of a table, and never cut a row', () => {
    const grid = { type: 'grid', header: line(11), rows: [line(40), line(41), line(42)] } as const
    expect(heights(paginate([grid], 100))).toEqual([
      [11, 40, 41],
      [11, 42],
    ])
  })

  test('frame on each page what is on it', () => {
    const framed = stack([line(60), line(60)], { frame: { style: 'alarm', width: 300 } })
    expect(paginate([framed], 100).map(({ frames }) => frames)).toEqual([
      [{ style: 'alarm', width: 300, x: 0, top: 0, bottom: 60 }],
      [{ style: 'alarm', width: 300, x: 0, top: 0, bottom: 60 }],
    ])
  })

  test('are none without anything on them', () => {
    const chapter = stack([line()], { newPage: true })
    expect(heights(paginate([chapter, chapter], 100))).toEqual([[10], [10]])
  })
})
