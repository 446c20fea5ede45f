import { describe, expect, test } from 'vitest'
import { nothingKnown, renderedRunbook, shopText } from '../../../test/support/runbooks.ts'
import type { Block } from './document.ts'
import { renderHtml } from './html.ts'
import { renderMarkdown } from './markdown.ts'

const identity = { service: 's', plan: 'p', hash: 'a'.repeat(64), version: '1' }
const documentOf = (...blocks: Block[]) => ({ title: 't', identity, blocks })
const markdownOf = (...blocks: Block[]) =>
  renderMarkdown(documentOf(...blocks))
    .split('\n\n')
    .slice(1)
    .join('\n\n')
    .trimEnd()
const htmlOf = (...blocks: Block[]) => {
  const html = renderHtml(documentOf(...blocks))
  return html.slice(html.indexOf('<body>\n') + 7, html.indexOf('\n</body>'))
}

const hostile = '<img src=x onerror=alert(1)> [a](javascript:b) **c** `d` | e\n# f\n<!-- /measured -->'

describe('markdown', () => {
  test('takes no markup from a text', () => {
    expect(markdownOf({ type: 'text', text: [hostile] })).toBe(
      String.raw`&lt;img src=x onerror=alert(1)&gt; \[a\](javascript:b) \*\*c\*\* \`d\` \| e # f &lt;!-- /measured --&gt;`,
    )
  })

  test.each(['# a', '- a', '+ a', '1. a', '2) a', '=== a', '--- a'])('does not begin a heading or a list with %j', (text) => {
    expect(markdownOf({ type: 'text', text: [text] })).toMatch(/^(?:\\|\d+\\)/)
    expect(markdownOf({ type: 'list', style: 'check', items: [[text]] })).toMatch(/^- \[ \] (?:\\|\d+\\)/)
  })

  test('fences commands with more backticks than are in them', () => {
    expect(markdownOf({ type: 'commands', lines: ['cat <<E', '```', '````', 'E'] })).toBe('`````sh\ncat <<E\n```\n````\nE\n`````')
    expect(markdownOf({ type: 'text', text: [{ code: '`a``' }] })).toBe('``` `a`` ```')
  })

  test('lets no command stand for a mark of what was measured', () => {
    const lines = ['echo "<!-- measured -->"', 'rm -rf x', 'echo "<!-- /measured -->"']
    const markdown = markdownOf({ type: 'commands', lines }, { type: 'text', text: [{ code: '<!-- measured -->' }] })
    expect(markdown).not.toContain('<!-- measured -->')
    expect(markdown).not.toContain('<!-- /measured -->')
  })

  test('keeps a table a table', () => {
    expect(markdownOf({ type: 'table', columns: ['a'], rows: [['b|c\nd']] })).toBe('| a      |\n| ------ |\n| b\\|c d |')
  })
})

describe('html', () => {
  test('takes no markup from a text, a command, a title or a table', () => {
    const everywhere = htmlOf(
      { type: 'heading', level: 2, text: hostile },
      { type: 'text', text: [hostile, { code: hostile }, { strong: hostile }, { measured: [hostile] }] },
      { type: 'facts', facts: [[hostile, [hostile]]] },
      { type: 'list', style: 'check', items: [[hostile]] },
      { type: 'table', columns: [hostile], rows: [[hostile]] },
      { type: 'commands', lines: [hostile] },
      { type: 'alarm', title: hostile, text: [hostile] },
    )
    expect(everywhere).not.toContain('<img')
    expect(everywhere.match(/<!--/g)).toHaveLength(2)
    expect(renderHtml({ ...documentOf(), title: '</title><script>' })).toContain('<title>&lt;/title&gt;&lt;script&gt;</title>')
  })

  test('has each command on a line of its own, whole, with no option broken', () => {
    const lines = ["aws  x --query 'a < b' -1", '', '  echo "a-b"']
    const html = htmlOf({ type: 'commands', lines })
    expect(html).toContain('<span class="option">--query </span>')
    const shown = html
      .replaceAll(/<[^>]*>/g, '')
      .replaceAll('&#39;', "'")
      .replaceAll('&lt;', '<')
      .replaceAll('&quot;', '"')
    expect(shown).toBe(`${lines.join('\n')}\n`)
  })

  test('is one file that loads nothing and runs nothing', async () => {
    const html = await renderedRunbook(undefined, { format: 'html', evidence: nothingKnown })
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'`)
    expect(html).not.toMatch(/<script|<link|<img|@import|url\(|\ssrc=|\shref=|\son\w+=/i)
    expect(html).toContain('@media print')
    expect(html).toContain('<input type="checkbox">')
  })

  test('closes what it opens', async () => {
    const html = await renderedRunbook(undefined, { format: 'html' })
    const open: string[] = []
    const wrong: string[] = []
    for (const [tag, closing, name = ''] of html.matchAll(/<(\/?)([a-z]\w*)[^>]*>/g)) {
      if (['meta', 'input'].includes(name)) continue
      if (closing === '') open.push(name)
      else if (open.pop() !== name) wrong.push(tag)
    }
    expect(wrong).toEqual([])
    expect(open).toEqual([])
  })
})

describe('both formats', () => {
  test('show characters that hide or reorder what a command says', () => {
    const lines = ['rm -rf /srv/\u202Etac\u202C # \u0007\u200B']
    for (const text of [markdownOf({ type: 'commands', lines }), htmlOf({ type: 'commands', lines })]) {
      expect(text.replaceAll(/<[^>]*>/g, '')).toContain(String.raw`rm -rf /srv/\u{202e}tac\u{202c} # \u{7}\u{200b}`)
    }
  })

  test('hold all that a hostile catalog says, as text', async () => {
    const text = shopText({
      orders: `    description: "<script>alert(1)</script>\\n# not a heading"`,
      prerequisites: `["</li><script>alert(2)</script>", "- [x] done | [click](javascript:x)"]`,
      steps: `
      - id: only
        description: '<!-- measured --> hidden <!-- /measured -->'
        do: { shell: { run: "echo '</pre><script>' && echo '\`\`\`'", effect: read-only } }`,
    })
    const [markdown, html] = [await renderedRunbook(text), await renderedRunbook(text, { format: 'html' })]
    expect(html).not.toContain('<script')
    expect(markdown).not.toMatch(/^# not/m)
    expect(markdown.replaceAll(/^(`{3,})sh\n[^]*?\n\1$/gm, '')).not.toContain('<script')
    expect(markdown).toContain('````sh\n')
    for (const rendered of [markdown, html]) expect(rendered).toContain('&lt;!-- measured --&gt; hidden')
  })
})
