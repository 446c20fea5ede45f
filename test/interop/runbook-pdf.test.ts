import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { actions } from '../../src/actions/index.ts'
import { buildRunbook, renderPdf, wordRunbook } from '../../src/recovery/index.ts'
import { loadRunCatalog } from '../../src/service/index.ts'
import { temporaryFolder } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'
import { nothingKnown, runbookOf, runbookVersion, shopText } from '../support/runbooks.ts'

type RunbookDocument = ReturnType<typeof wordRunbook>
type Block = RunbookDocument['blocks'][number]
type Inline = Extract<Block, { type: 'text' }>['text'][number]

const examples = new URL('../../examples', import.meta.url).pathname
const longCommand = `rsync -a --exclude='${'cache-of-images/'.repeat(14)}' --bwlimit=20m /srv/orders/ 'standby.example:/srv/orders/' && echo "complete to the end"`
const unusual = shopText({
  prerequisites: '["→ ✓ – … ü ё Привет", "日本 is a country"]',
  steps: `
      - { id: copy, do: { shell: { run: ${JSON.stringify(longCommand)}, effect: read-only } } }
      - { id: switch, after: [copy], do: { shell: { run: "echo 'ё → 日'", effect: point-of-no-return } } }
${Array.from({ length: 70 }, (_, index) => `      - { id: look-${index}, after: [switch], do: { http.check: { url: 'http://localhost/${index}' } } }`).join('\n')}`,
})

describeWith('poppler', 'a runbook as PDF, read by poppler', () => {
  test.each([
    ['postgres', 'shop'],
    ['api-gateway', 'api-gateway'],
  ])('has on its pages all that the runbook of examples/%s says, in order', async (example, service) => {
    const catalog = await loadRunCatalog(join(examples, example, 'holdfast.yaml'))
    await expectAllInOrder(wordRunbook(buildRunbook(catalog, { service }, actions, runbookVersion)))
  })

  test('has it also over many pages, with commands longer than a line, and names the characters without a glyph', async () => {
    const pages = await expectAllInOrder(wordRunbook(await runbookOf(unusual), nothingKnown))
    expect(pages.length).toBeGreaterThan(10)
    const text = pages.join('\n')
    expect(text).toContain('→ ✓ – … ü ё Привет')
    expect(text).toContain('‹U+65E5›‹U+672C› is a country')
    expect(text).toContain("echo 'ё → ‹U+65E5›'")
    expect(text).toMatch(/^↪ /m)
    const header = (page: string) => page.includes('Step Action Waits for Effect Time limit')
    expect(pages.filter(header).length).toBeGreaterThan(1)
  })

  test('is A4, has its fonts in it, says on each page what it is of, and has the Markdown attached', async () => {
    const document = wordRunbook(await runbookOf(), nothingKnown)
    await using file = await written(document)
    const pages = file.read('pdftotext', '-raw', file.path, '-').split('\f').slice(0, -1)
    for (const [index, page] of pages.entries()) {
      expect(page).toContain(`Runbook: orders · plan back · Holdfast ${runbookVersion}`)
      expect(page).toContain(`plan hash ${document.identity.hash}`)
      expect(page).toContain(`page ${index + 1} of ${pages.length}`)
    }
    expect(file.read('pdfinfo', file.path)).toMatch(/^Page size: +595\.\d+ x 841\.\d+ pts \(A4\)$/m)
    const fonts = file.read('pdffonts', file.path).trimEnd().split('\n').slice(2)
    expect(fonts.length).toBeGreaterThan(0)
    for (const font of fonts) expect(font).toMatch(/DejaVu.* yes yes yes/)
    expect(file.read('pdfdetach', '-list', file.path)).toContain('RUNBOOK.md')
  })
})

async function written(document: RunbookDocument) {
  const folder = await temporaryFolder('runbook-pdf')
  const path = join(folder.path, 'runbook.pdf')
  await writeFile(path, await renderPdf(document))
  return {
    path,
    read: (program: string, ...args: string[]) => execFileSync(program, args, { encoding: 'utf8' }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

/** Its pages. Line breaks, spaces and marks of continuation do not count; everything else does. */
async function expectAllInOrder(document: RunbookDocument): Promise<string[]> {
  await using file = await written(document)
  const pages = file.read('pdftotext', '-raw', '-enc', 'UTF-8', file.path, '-').split('\f').slice(0, -1)
  const footer = `${document.title} · plan ${document.identity.plan} ·`
  const text = bare(pages.map((page) => page.slice(0, page.lastIndexOf(footer))).join('\n'))
  const missing: string[] = []
  let from = 0
  for (const wanted of document.blocks.flatMap(textsOf)) {
    const at = text.indexOf(bare(withNames(wanted)), from)
    if (at === -1) missing.push(wanted)
    else from = at + bare(withNames(wanted)).length
  }
  expect(missing).toEqual([])
  return pages
}

const bare = (text: string) => text.replaceAll(/[\s↪␣]/g, '')
const withNames = (text: string) =>
  text.replaceAll(/\p{Script=Han}/gu, (character) => `‹U+${character.codePointAt(0)?.toString(16).toUpperCase()}›`)

function textsOf(block: Block): string[] {
  switch (block.type) {
    case 'heading':
      return [block.text]
    case 'text':
      return [inlineText(block.text)]
    case 'facts':
      return block.facts.flatMap(([label, parts]) => [label, inlineText(parts)])
    case 'list':
      return block.items.map(inlineText)
    case 'table':
      return [...block.columns, ...block.rows.flat()]
    case 'commands':
      return [...block.lines]
    case 'alarm':
      return [block.title, inlineText(block.text)]
    case 'picture':
      return block.instead.flatMap(textsOf)
    default:
      return block.blocks.flatMap(textsOf)
  }
}

function inlineText(parts: readonly Inline[]): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part
      if ('code' in part) return part.code
      return 'strong' in part ? part.strong : inlineText(part.measured)
    })
    .join('')
}
