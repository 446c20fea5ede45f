import { describe, expect, test } from 'vitest'
import { catalogText, checkText, problemsOf, unmark, type CatalogParts } from '../../test/support/marked-catalog.ts'

const rest = 'site: here\nobjectives: { rpo: 5m, rto: 15m }\n'
const whole = catalogText()

type Case = readonly [what: string, text: string, codes: readonly string[], said?: RegExp]
const of = (parts: CatalogParts) => catalogText(parts)

const cases: readonly Case[] = [
  ['a key twice', of({ more: '‸site: here' }), ['duplicate-key'], /line 9 has it first/],
  ['a key twice on one line', of({ more: 'data: { files: { paths: [/a], ‸paths: [/b] } }' }), ['duplicate-key']],
  ['an anchor twice', of({ db: `owner: &a me\n${rest}onCall: ‸&a x` }), ['duplicate-anchor'], /line 8 defines it first/],
  ['an alias of nothing', of({ db: `owner: ‸*me\n${rest}` }), ['unknown-anchor'], /needs quotes: "\*me"/],
  ['an alias before its anchor', of({ db: `owner: ‸*a\nsite: &a here\nobjectives: { rpo: 5m, rto: 15m }` }), ['unknown-anchor']],
  ['an alias within its own anchor', of({ db: 'owner: me\nsite: here\nobjectives: &o { rpo: ‸*o, rto: 5m }' }), ['alias-loop']],
  ['an octal number', of({ more: 'tier: ‸07' }), ['ambiguous-number'], /octal/],
  ['infinity', of({ more: 'downtimeCostPerHour: ‸.inf' }), ['ambiguous-number']],
  ['a number too large to be exact', of({ more: 'downtimeCostPerHour: ‸90071992547409931' }), ['ambiguous-number']],
  ['a tab as indentation', 'version: 1\nsites:\n‸\there: {}\n', ['syntax'], /spaces/],
  ['a text without its end', 'version: 1\nname: "x\n‸', ['syntax']],
  ['a list without its end', 'version: 1\nsites: [a,\n‸name: b', ['syntax']],
  ['a key within a value', 'version: 1\nname: ‸a: b\n', ['syntax'], /into quotes/],
  ['a second document', 'version: 1\n‸---\nversion: 1\n', ['syntax'], /second document/],
  ['an unknown tag', of({ db: `owner: ‸!ref me\n${rest}` }), ['syntax'], /unknown tag !ref/],
  ['YAML 1.1', `‸%YAML 1.1\n---\n${whole}`, ['syntax'], /no and on mean false and true/],
  ['a merge of what is no map', of({ db: `owner: me\n‸<<: me\n${rest}` }), ['wrong-type']],
  ['an empty file', '‸', ['empty'], /holdfast init/],
  ['a file of comments', '‸# nothing\n', ['empty']],
  ['a document without content', '‸---\n', ['empty']],
  ['a list', '‸- version: 1\n', ['wrong-type']],
  ['a text', '‸hello\n', ['wrong-type']],
  ['a key that is a list', `${whole}? ‸[a]\n: b\n`, ['bad-key']],
  ['a key that is empty', `${whole}‸: b\n`, ['bad-key']],
  ['the key __proto__', `${whole}‸__proto__: { owner: me }\n`, ['bad-key']],
  ['a control character', 'version: 1\nname: a‸\u0001b\n', ['not-text'], /U\+0001/],
]

describe('YAML that cannot be used is reported at its line and column', () => {
  test.each(cases.map(([what, marked, codes, said = /^/]) => ({ what, marked, codes, said })))(
    '$what',
    async ({ marked, codes, said }) => {
      const { text, places } = unmark(marked)
      const found = await problemsOf(text)
      expect(found).toMatchObject({ codes, places })
      expect(found.said).toMatch(said)
    },
  )
})

test('Windows line ends and a byte order mark shift no line and no column', async () => {
  const { text, places } = unmark(catalogText({ more: '‸onCal: x\ntier: ‸12' }))
  const found = await problemsOf(`\uFEFF${text.replaceAll('\n', '\r\n')}`)
  expect(found).toMatchObject({ places, codes: ['unknown-key', 'wrong-value'] })
})

test('a file that is not text is refused, at its first wrong byte', async () => {
  expect(await problemsOf(Uint8Array.of(0x61, 0x3a, 0x0a, 0x62, 0xff, 0xc3))).toMatchObject({
    places: ['2:2'],
    codes: ['not-text'],
  })
  expect(await problemsOf(Buffer.from('\x7fELF\0\0\0'))).toMatchObject({ codes: ['not-text'] })
  const utf16 = await problemsOf(Buffer.from(`\uFEFF${whole}`, 'utf16le'))
  expect(utf16).toMatchObject({ codes: ['not-text'] })
  expect(utf16.said).toMatch(/UTF-16.*UTF-8/)
})

test('aliases and merge keys are followed; what is written wins over what is merged, the first merged over the second', async () => {
  const text = catalogText({
    head: 'version: 1\nname: test\nx-one: &one { owner: one, tier: 1, onCall: one }\nx-two: &two { owner: two, tier: 2, description: two, objectives: { rpo: 1m, rto: &hour 1h } }',
    db: '<<: [*one, *two]\nowner: me\nsite: here',
    services: 'web: { <<: *two, site: here, objectives: { rpo: *hour, rto: *hour } }',
  })
  const check = await checkText(text)
  expect(check).toMatchObject({
    valid: true,
    catalog: {
      services: {
        db: { owner: 'me', tier: 1, onCall: 'one', description: 'two', objectives: { rpoMs: 60_000, rtoMs: 3_600_000 } },
        web: { owner: 'two', tier: 2, objectives: { rpoMs: 3_600_000, rtoMs: 3_600_000 } },
      },
    },
  })
})

test('a problem in a value behind an alias is where the value is written', async () => {
  const { text, places } = unmark(
    catalogText({ head: 'version: 1\nname: test\nx-o: &o { rpo: ‸5, rto: 15m }', db: 'owner: me\nsite: here\nobjectives: *o' }),
  )
  expect(await problemsOf(text)).toMatchObject({ places, codes: ['unit-missing'] })
})

test('texts that YAML 1.1 took for something else are texts', async () => {
  const text = catalogText({
    services: 'no: { owner: on, onCall: 2001-12-14, description: 12:30:45, site: y, objectives: { rpo: 1m, rto: 1m } }',
  })
  const check = await checkText(text.replace('there: {}', 'there: {}, y: {}'))
  expect(check).toMatchObject({
    valid: true,
    catalog: { services: { no: { name: 'no', owner: 'on', onCall: '2001-12-14', description: '12:30:45', site: 'y' } } },
  })
})

test('aliases of aliases that stand for billions of values are refused', async () => {
  const levels = Array.from(
    { length: 30 },
    (_, level) =>
      `x-${level}: &l${level} [${Array.from({ length: 9 }, () => (level === 0 ? 'lol' : `*l${level - 1}`)).join(', ')}]`,
  )
  const found = await problemsOf(`${levels.join('\n')}\n${whole}`)
  expect(found.codes).toEqual(['too-large'])
  expect(found.said).toMatch(/aliases/)
})

test.each([
  ['lists', `version: 1\nname: ${'['.repeat(5000)}${']'.repeat(5000)}\n`],
  ['maps', `version: 1\nname: ${'{a: '.repeat(5000)}1${'}'.repeat(5000)}\n`],
  ['list entries', `version: 1\nname:\n  ${'- '.repeat(5000)}x\n`],
  ['open lists', '['.repeat(100_000)],
])('absurdly nested %s are refused', async (_what, text) => {
  const found = await problemsOf(text)
  expect(found.codes.length).toBeGreaterThan(0)
  expect(found.codes.every((code) => code === 'too-large' || code === 'syntax')).toBe(true)
})

test('a file larger than any catalog is refused without being parsed', async () => {
  expect((await problemsOf(Buffer.alloc(17 * 1024 * 1024, '#'))).codes).toEqual(['too-large'])
})
