import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkCatalog, codeFrame, type Catalog } from './index.ts'

const objectives = 'objectives: { rpo: 1h, rto: 1h }'
const service = (name: string, more = '') => `services:\n  ${name}: { owner: me, site: here, ${objectives}${more} }\n`
const head = (include: string, rest = 'services: {}') =>
  `version: 1\nname: acme\ninclude: ${include}\nsites: { here: {} }\n${rest}\n`

/** Checks `acme/holdfast.yaml` of these files; paths are relative to the folder around `acme`. */
async function check(files: Readonly<Record<string, string>>, { link }: { link?: readonly [to: string, path: string] } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-include-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), text)
    }
    if (link) await symlink(join(folder, link[0]), join(folder, link[1]))
    const result = await checkCatalog(join(folder, 'acme/holdfast.yaml'))
    const short = (text: string) => text.replaceAll(`${folder}/acme/`, '').replaceAll(`${folder}/`, '../')
    const problems = result.valid
      ? []
      : result.problems.map(({ code, file, line, column, message, hint = '' }) =>
          short(`${code} ${file}:${line}:${column} ${message} | ${hint}`),
        )
    return { result, problems, short }
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function catalogOf(files: Readonly<Record<string, string>>): Promise<Catalog> {
  const { result, problems } = await check(files)
  if (!result.valid) throw new Error(problems.join('\n'))
  return result.catalog
}

describe('a catalog of several files', () => {
  const files = {
    'acme/holdfast.yaml': head('[services/*.yaml, plans/all.yaml]', service('wiki', ', recovery: back')),
    'acme/services/orders.yaml': service('orders', ', dependsOn: [wiki]'),
    'acme/services/web.yaml': `version: 1\nx-o: &o { rpo: 1h, rto: 1h }\n${service('web', ', dependsOn: [orders]').replace(objectives, 'objectives: *o')}`,
    'acme/plans/all.yaml': `include: [more/steps.yaml]\nplans:\n  back: { recovers: [wiki], steps: [{ id: a, plan: look }] }\n`,
    'acme/plans/more/steps.yaml':
      'plans:\n  look: { steps: [{ id: b, do: { x: {} } }] }\nrepositories:\n  nas: { url: ../copies, site: here, password: { file: pw } }\n',
  }

  test('is one: sections are put together, and names mean the same in each', async () => {
    const catalog = await catalogOf(files)
    expect(Object.keys(catalog.services)).toEqual(['wiki', 'orders', 'web'])
    expect(catalog.plans.back?.steps.map(({ id }) => id)).toEqual(['a/b'])
    expect(catalog.files.map((file) => file.slice(file.indexOf('/acme/')))).toEqual([
      '/acme/holdfast.yaml',
      '/acme/services/orders.yaml',
      '/acme/services/web.yaml',
      '/acme/plans/all.yaml',
      '/acme/plans/more/steps.yaml',
    ])
  })

  test('has its relative paths from the file that they are written in', async () => {
    const { repositories } = await catalogOf(files)
    expect(repositories.nas?.location).toMatch(/\/acme\/plans\/copies$/)
    expect(repositories.nas?.password).toEqual({ file: expect.stringMatching(/\/acme\/plans\/more\/pw$/) as string })
  })

  test('has a hash over all of them', async () => {
    const { hash } = await catalogOf(files)
    expect((await catalogOf(files)).hash).toBe(hash)
    const changes = [
      ['acme/holdfast.yaml', 'rpo: 1h', 'rpo: 2h'],
      ['acme/services/orders.yaml', 'rpo: 1h', 'rpo: 2h'],
      ['acme/services/web.yaml', 'rpo: 1h', 'rpo: 2h'],
      ['acme/plans/all.yaml', 'id: a', 'id: c'],
      ['acme/plans/more/steps.yaml', 'x: {}', 'y: {}'],
    ] as const
    expect(changes.map(([name]) => name)).toEqual(Object.keys(files))
    for (const [name, from, to] of changes) {
      const changed = await catalogOf({ ...files, [name]: files[name].replace(from, to) })
      expect(changed.hash, name).not.toBe(hash)
    }
  })

  test('has another hash when a file with relative paths moves to another folder', async () => {
    const { 'acme/plans/more/steps.yaml': moved, ...rest } = files
    const changed = {
      ...rest,
      'acme/plans/steps.yaml': moved,
      'acme/plans/all.yaml': files['acme/plans/all.yaml'].replace('more/', ''),
    }
    expect((await catalogOf(changed)).hash).not.toBe((await catalogOf(files)).hash)
  })

  test('warns in the file that the weakness is in', async () => {
    const { result, short } = await check(files)
    const warnings = result.valid ? result.warnings : []
    const of = warnings
      .filter(({ code }) => code === 'no-plan')
      .map(({ file, line, column }) => `${short(file)}:${line}:${column}`)
    expect(of).toEqual(['services/orders.yaml:2:3', 'services/web.yaml:4:3'])
  })
})

test('how a catalog is divided into files of one folder changes nothing of what it says', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 6 }), async (places) => {
      const names = places.map((_, index) => `s${index}`)
      const entry = (name: string, index: number) =>
        `  ${name}: { owner: me, site: here, ${objectives}, dependsOn: [${names.slice(0, index).join(', ')}] }\n`
      const inFile = (place: number) =>
        names.flatMap((name, index) => (places[index] === place ? [entry(name, index)] : [])).join('')
      const parts = [1, 2, 3].filter((place) => inFile(place) !== '')
      const divided = await catalogOf({
        'acme/holdfast.yaml': head(`[${parts.map((place) => `${place}.yaml`).join(', ')}]`, `services:\n${inFile(0)}`),
        ...Object.fromEntries(parts.map((place) => [`acme/${place}.yaml`, `services:\n${inFile(place)}`])),
      })
      const whole = await catalogOf({
        'acme/holdfast.yaml': head('[]', `services:\n${names.map((name, index) => entry(name, index)).join('')}`),
      })
      const sorted = (catalog: Catalog) => Object.entries(catalog.services).toSorted(([a], [b]) => a.localeCompare(b))
      expect(sorted(divided)).toEqual(sorted(whole))
      expect(divided.hash).toBe(whole.hash)
    }),
    { numRuns: 25 },
  ))

describe('what is wrong is said of the right file', () => {
  test('with its line, and the lines around it', async () => {
    const { result, problems, short } = await check({
      'acme/holdfast.yaml': head('[a.yaml]'),
      'acme/a.yaml': `# one\n${service('db', ', dependsOn: [nothing]')}repositories: { nas: { url: /n, site: here, password: hunter2 } }\n`,
    })
    expect(problems.map((problem) => problem.split(' | ')[0])).toEqual([
      "unknown-reference a.yaml:3:78 services.db.dependsOn[0] names the dependency 'nothing', which does not exist",
      'plain-secret a.yaml:4:55 repositories.nas.password must be a reference to a secret, not the secret itself',
    ])
    const [file, lines] = (result.valid ? [] : Object.entries(result.lines)).find(([name]) => name.endsWith('/a.yaml')) ?? [
      '',
      [],
    ]
    expect(short(file)).toBe('a.yaml')
    expect(codeFrame(lines, { line: 3, column: 78 })).toContain('3 |   db: ')
    expect(JSON.stringify(result)).not.toContain('hunter2')
  })

  const cases: readonly (readonly [
    what: string,
    files: Readonly<Record<string, string>>,
    problems: readonly (string | RegExp)[],
  ])[] = [
    [
      'a name in two files',
      { 'acme/holdfast.yaml': head('[a.yaml, b.yaml]'), 'acme/a.yaml': service('db'), 'acme/b.yaml': service('db') },
      [/^duplicate-entry b\.yaml:2:3 services\.db is in a\.yaml:2 too/],
    ],
    [
      'a section that is there once, twice',
      { 'acme/holdfast.yaml': `${head('[a.yaml]')}chaos: {}\n`, 'acme/a.yaml': 'chaos: {}\n' },
      [/^duplicate-entry a\.yaml:1:1 chaos is in holdfast\.yaml:6 too/],
    ],
    [
      'what the whole catalog is called and counts in, in a part of it',
      { 'acme/holdfast.yaml': head('[a.yaml]'), 'acme/a.yaml': 'name: other\ncurrency: CHF\n' },
      [/^unknown-key a\.yaml:1:1 name is that of the whole catalog/, /^unknown-key a\.yaml:2:1 currency is/],
    ],
    [
      'an unknown section',
      { 'acme/holdfast.yaml': head('[a.yaml]'), 'acme/a.yaml': 'servces: {}\n' },
      [/^unknown-key a\.yaml:1:1 .*did you mean 'services'/],
    ],
    [
      'another version',
      { 'acme/holdfast.yaml': head('[a.yaml]'), 'acme/a.yaml': 'version: 2\n' },
      [/^wrong-value a\.yaml:1:10 version is 2/],
    ],
    ['a file that is no YAML', { 'acme/holdfast.yaml': head('[a.yaml]'), 'acme/a.yaml': '\n{ a: b\n' }, [/^syntax a\.yaml:/]],
    [
      'a file that is no text, and nothing of what it would have said',
      { 'acme/holdfast.yaml': head('[a.yaml]', service('web', ', dependsOn: [db]')), 'acme/a.yaml': 'a: \u0000' },
      [/^not-text a\.yaml:1:4/],
    ],
    [
      'a file that is a list',
      { 'acme/holdfast.yaml': head('[a.yaml]'), 'acme/a.yaml': '[1]\n' },
      [/^wrong-value a\.yaml:1:1 it is no map/],
    ],
    ['no such file', { 'acme/holdfast.yaml': head('[a.yaml]') }, [/^include-missing holdfast\.yaml:3:11 there is no a\.yaml/]],
    [
      'a pattern that nothing fits',
      { 'acme/holdfast.yaml': head('["s/*.yaml"]') },
      [/^include-missing holdfast\.yaml:3:11 no file fits s\/\*\.yaml/],
    ],
    [
      'a folder',
      { 'acme/holdfast.yaml': head('[s]'), 'acme/s/a.yaml': '' },
      [/^include-missing .* s is not a file \| name the files in it: s\/\*\.yaml/],
    ],
    ['no list', { 'acme/holdfast.yaml': head('a.yaml') }, [/^wrong-type holdfast\.yaml:3:10/]],
    [
      'no list in an included file',
      { 'acme/holdfast.yaml': head('[a.yaml]'), 'acme/a.yaml': 'include: { a: b }\n' },
      [/^wrong-type a\.yaml:1:10/],
    ],
    [
      'code',
      { 'acme/holdfast.yaml': head('[a.ts]'), 'acme/a.ts': 'export default {}' },
      [/^wrong-value holdfast\.yaml:3:11 a\.ts is code/],
    ],
    [
      'a file outside',
      { 'acme/holdfast.yaml': head('[../a.yaml]'), 'a.yaml': service('db') },
      [/^include-outside holdfast\.yaml:3:11 .*\{ path: \.\.\/a\.yaml, outside: true \}/],
    ],
    [
      'a file that includes itself, by a pattern',
      { 'acme/holdfast.yaml': head('["*.yaml"]') },
      [/^include-cycle holdfast\.yaml:3:11 files include each other: holdfast\.yaml → holdfast\.yaml/],
    ],
    [
      'files that include each other',
      {
        'acme/holdfast.yaml': head('[s/a.yaml]'),
        'acme/s/a.yaml': 'include: [b.yaml]\n',
        'acme/s/b.yaml': 'include: [a.yaml]\n',
      },
      [/^include-cycle s\/b\.yaml:1:11 files include each other: s\/a\.yaml → s\/b\.yaml → s\/a\.yaml/],
    ],
  ]

  test.each(cases)('%s', async (_what, files, expected) => {
    const { problems } = await check(files)
    expect(problems).toHaveLength(expected.length)
    for (const [index, problem] of expected.entries()) expect(problems[index]).toMatch(problem)
  })
})

describe('files outside the folder of the catalog', () => {
  test('are read only where that is said', async () => {
    const { services } = await catalogOf({
      'acme/holdfast.yaml': head('[{ path: ../shared/*.yaml, outside: true }]'),
      'shared/a.yaml': service('db'),
    })
    expect(Object.keys(services)).toEqual(['db'])
  })

  test('are not reached through a link either', async () => {
    const files = { 'acme/holdfast.yaml': head('[a.yaml]'), 'a.yaml': service('db') }
    const { problems } = await check(files, { link: ['a.yaml', 'acme/a.yaml'] })
    expect(problems).toEqual([expect.stringMatching(/^include-outside holdfast\.yaml:3:11 a\.yaml leads out/) as string])
  })
})

describe('what a pattern fits and cannot be read is not left out', () => {
  const files = { 'acme/holdfast.yaml': head('["s/*.yaml"]'), 'acme/s/a.yaml': service('db') }

  test('a link that leads nowhere', async () => {
    const { problems } = await check(files, { link: ['gone.yaml', 'acme/s/b.yaml'] })
    expect(problems).toEqual([expect.stringMatching(/^include-missing holdfast\.yaml:3:11 s\/\*\.yaml fits s\/b\.yaml, which/)])
  })

  test('a folder that cannot be listed', async () => {
    const both = { ...files, 'acme/holdfast.yaml': head('[s/*.yaml, "loop/*.yaml"]') }
    const { problems } = await check(both, { link: ['acme/loop', 'acme/loop'] })
    expect(problems).toEqual([expect.stringMatching(/^include-missing .* fits files in loop, which cannot be read: ELOOP/)])
  })
})

test('a file that two patterns fit is read once', async () => {
  const { services } = await catalogOf({ 'acme/holdfast.yaml': head('[a.yaml, "*a.yaml"]'), 'acme/a.yaml': service('db') })
  expect(Object.keys(services)).toEqual(['db'])
})
