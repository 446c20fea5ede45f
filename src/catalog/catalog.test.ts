import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { catalogOf, catalogText, checkText, problemsOf } from '../../test/support/marked-catalog.ts'
import { codeFrame } from './frame.ts'
import { catalogJsonSchema } from './json-schema.ts'
import { loadCatalog } from './load.ts'
import { suggest } from './suggest.ts'

const example = (name: string) => new URL(`../../examples/${name}/holdfast.yaml`, import.meta.url).pathname

describe('a catalog becomes plain data', () => {
  test('units are numbers, names are in their entries, what was not written is absent or empty', async () => {
    const { services, repositories, plans, sites } = await catalogOf(
      catalogText({
        more: 'backup: { to: nas, keep: { within: 2w, daily: 7 } }\nhealth: { tcp: "[::1]:5432", timeout: 1500ms }\nrecovery: back',
        steps:
          '- { id: a, do: { x: { n: 1 } }, timeout: 1h30m, retry: { attempts: 3 }, check: { y: {}, every: 5s } }\n- { id: b, after: [a], do: { z: { from: "${steps.a.out}" } }, when: { value: "${steps.a.ok}", equals: true }, onFailure: ask }',
      }),
    )
    expect(sites.here).toEqual({ name: 'here', hosts: [] })
    expect(repositories.nas).toMatchObject({ name: 'nas', location: '/mnt/nas', media: 'disk', password: { env: 'PW' } })
    expect(services.db).toEqual({
      name: 'db',
      owner: 'me',
      site: 'here',
      objectives: { rpoMs: 300_000, rtoMs: 900_000 },
      declaredBy: { rpo: 'service', rto: 'service' },
      escalation: [],
      dependsOn: [],
      data: {},
      backup: { to: ['nas'], tags: [], keep: { withinMs: 1_209_600_000, daily: 7 } },
      health: { kind: 'tcp', host: '[::1]', port: 5432, timeoutMs: 1500 },
      recovery: 'back',
    })
    expect(plans.back).toEqual({
      name: 'back',
      uses: [],
      recovers: ['db'],
      environment: 'test',
      fourEyes: false,
      groups: {},
      openParams: [],
      needs: [],
      prerequisites: [],
      steps: [
        {
          id: 'a',
          do: { kind: 'x', params: { n: 1 } },
          after: [],
          when: [],
          timeoutMs: 5_400_000,
          retry: { attempts: 3, backoffMs: 1000, factor: 2, maxBackoffMs: 60_000 },
          check: { kind: 'y', params: {}, everyMs: 5000, timeoutMs: 60_000 },
          onFailure: 'undo',
        },
        {
          id: 'b',
          do: { kind: 'z', params: { from: '${steps.a.out}' } },
          after: ['a'],
          when: [{ value: '${steps.a.ok}', equals: true }],
          timeoutMs: 600_000,
          retry: { attempts: 1, backoffMs: 1000, factor: 2, maxBackoffMs: 60_000 },
          onFailure: 'ask',
        },
      ],
    })
  })

  test('a long word is read in a time that grows with its length, not with its square', async () => {
    const timeOf = async (length: number) => {
      const started = process.cpuUsage()
      const check = await checkText(catalogText({ more: `description: ${'a'.repeat(length)}` }))
      expect(check.valid).toBe(true)
      return process.cpuUsage(started).user
    }
    await timeOf(1000)
    const [short, long] = [await timeOf(20_000), await timeOf(200_000)]
    // Ten times the length; a hundred times the work if it were quadratic: then 200,000 characters take minutes.
    expect(long).toBeLessThan(30 * (short + 20_000))
  }, 60_000)

  test('paths start at the catalog’s folder, ~ at home; addresses stay what they are', async () => {
    const relative = await catalogOf(catalogText({ repository: '{ url: copies/one, site: there, password: { file: ./pw } }' }))
    const folder = dirname(relative.file)
    expect(relative.repositories.nas).toMatchObject({
      url: 'copies/one',
      location: join(folder, 'copies/one'),
      password: { file: join(folder, 'pw') },
    })
    const home = await catalogOf(catalogText({ repository: '{ url: ~/copies, site: there, password: { file: ~/pw } }' }))
    expect(home.repositories.nas).toMatchObject({
      location: join(homedir(), 'copies'),
      password: { file: join(homedir(), 'pw') },
    })
    for (const url of ['s3://bucket/x', 'sftp:host:/x', 'rest:https://host/x']) {
      const remote = await catalogOf(
        catalogText({ repository: `{ url: "${url}", site: there, password: { command: [pass, show, x] } }` }),
      )
      expect(remote.repositories.nas).toMatchObject({ url, location: url, password: { command: ['pass', 'show', 'x'] } })
    }
  })

  test('standbys have their names and sites, and secrets like any server; none may be called primary', async () => {
    const withStandby = (name: string) =>
      catalogText({
        more: `data: { postgres: { url: "postgresql:///a", dataDirectory: /pg, host: one, standbys: { ${name}: { url: { file: url }, replicationUrl: { env: R }, site: here, dataDirectory: /pg2, settings: { port: 5433 } } } } }`,
        steps: '- { id: a, do: { x: {} } }',
      })
    const { services, file } = await catalogOf(withStandby('west'))
    expect(services.db?.data.postgres?.standbys.west).toEqual({
      name: 'west',
      url: { file: join(dirname(file), 'url') },
      replicationUrl: { env: 'R' },
      site: 'here',
      dataDirectory: '/pg2',
      settings: { port: '5433' },
    })
    expect(await problemsOf(withStandby('primary'))).toMatchObject({
      codes: ['bad-key'],
      said: expect.stringContaining("'primary' is the server of `url`") as string,
    })
  })

  test('it is frozen', async () => {
    const catalog = await catalogOf(catalogText())
    expect(() => Object.assign(catalog.services.db?.objectives ?? {}, { rpoMs: 1 })).toThrow(TypeError)
  })

  test('its hash is of what it says, not of how it is written', async () => {
    const text = catalogText()
    const { hash } = await catalogOf(text)
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
    const { default: parsed } = { default: (await import('yaml')).parse(text) as Record<string, unknown> }
    const reordered = Object.fromEntries(Object.entries(parsed).toReversed())
    for (const same of [
      `# a comment\n\n${text}`,
      text.replaceAll('\n', '\r\n'),
      stringify(parsed),
      JSON.stringify(reordered),
      `x-note: 1\n${text}`,
    ])
      expect((await catalogOf(same)).hash).toBe(hash)
    expect((await catalogOf(text.replace('rpo: 5m', 'rpo: 6m'))).hash).not.toBe(hash)
  })
})

test.each(['postgres', 'files'])('the example %s is valid', async (name) => {
  await expect(loadCatalog(example(name))).resolves.toMatchObject({ file: example(name) })
})

test('a key with a slip of the finger is found, and what was meant is said', async () => {
  const text = await readFile(example('postgres'), 'utf8')
  const known = new Set(keysOf(catalogJsonSchema()))
  // Names are nobody's to correct, and parameters are known only to their actions.
  const keys = [...text.matchAll(/(?<=[\s{])([A-Za-z]+):(?= )/g)].filter(
    (match) => known.has(match[1] ?? '') && (match[1] ?? '').length > 3 && !/ do: .*$/.test(text.slice(0, match.index)),
  )
  expect(keys.length).toBeGreaterThan(20)
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...keys), fc.nat(), fc.constantFrom('swap', 'drop', 'double'), async (match, at, slip) => {
      const key = match[1] ?? ''
      const index = at % (key.length - 1)
      const [one = '', two = ''] = [key[index], key[index + 1]]
      const typed =
        key.slice(0, index) + (slip === 'swap' ? two + one : slip === 'drop' ? two : one + one + two) + key.slice(index + 2)
      fc.pre(!known.has(typed))
      const start = match.index
      const { places, said } = await problemsOf(text.slice(0, start) + typed + text.slice(start + key.length))
      const lines = text.slice(0, start).split('\n')
      expect(places).toContain(`${lines.length}:${(lines.at(-1) ?? '').length + 1}`)
      expect(said).toContain(`did you mean '${key}'`)
    }),
    { numRuns: 80 },
  )
})

function keysOf(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap(keysOf)
  if (typeof schema !== 'object' || schema === null) return []
  return Object.entries(schema).flatMap(([key, value]) =>
    (key === 'properties' ? Object.keys(value as object) : []).concat(keysOf(value)),
  )
}

test('whatever is in the file, checking it ends with a catalog or with problems that have a place in it', async () => {
  const text = await readFile(example('postgres'), 'utf8')
  const edit = fc.tuple(
    fc.nat(text.length),
    fc.nat(30),
    fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom(
        '\t',
        '\n',
        '{',
        '[',
        '&a ',
        '*a',
        '<<: ',
        '"',
        '- ',
        ': ',
        '? ',
        '|\n',
        '!x ',
        '\0',
        '\uFEFF',
        '\u2028',
        '${steps.x.y}',
      ),
    ),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
      const broken = edits.reduce((before, [at, drop, put]) => before.slice(0, at) + put + before.slice(at + drop), text)
      const check = await checkText(broken)
      if (check.valid) return
      expect(check.problems.length).toBeGreaterThan(0)
      const lines = broken.split('\n')
      for (const { line, column } of check.problems) {
        expect(line).toBeLessThanOrEqual(lines.length)
        expect(column).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1)
        expect(codeFrame(Object.values(check.lines)[0] ?? [], { line, column })).toBeTypeOf('string')
      }
    }),
    { numRuns: 150 },
  )
})

test('a catalog of a thousand services is read whole', async () => {
  const services = Array.from(
    { length: 1000 },
    (_, index) =>
      `s${index}: { owner: me, site: here, objectives: { rpo: 5m, rto: 1h }, dependsOn: [${index === 0 ? '' : `s${index - 1}`}], backup: { to: [nas], schedule: daily at 02:00 } }`,
  )
  const catalog = await catalogOf(catalogText({ services: services.join('\n') }))
  expect(Object.keys(catalog.services)).toHaveLength(1001)
  const broken = catalogText({ services: services.map((service) => service.replace('rpo: 5m', 'rpo: 5')).join('\n') })
  expect((await problemsOf(broken)).codes).toEqual(Array.from({ length: 1000 }, () => 'unit-missing'))
})

test.each([
  ['onCal', 'onCall'],
  ['on-call', 'onCall'],
  ['dependson', 'dependsOn'],
  ['ownre', 'owner'],
  ['sight', undefined],
  ['zzz', undefined],
])('%s was meant to be %s', (typed, meant) => {
  expect(suggest(typed, ['owner', 'onCall', 'dependsOn', 'tier'])).toBe(meant)
})

test('a frame points at the place, also behind tabs and far out in a long line', () => {
  expect(codeFrame(['a: 1', '\tb: 2'], { line: 2, column: 5 })).toBe('  1 | a: 1\n  2 | \tb: 2\n    | \t   ^')
  const frame = codeFrame([`${'x'.repeat(500)}HERE${'y'.repeat(500)}`], { line: 1, column: 501 })
  const [line = '', caret = ''] = frame.split('\n')
  expect(line.slice(caret.indexOf('^'))).toMatch(/^HERE/)
  expect(line.length).toBeLessThan(140)
  expect(codeFrame([], { line: 1, column: 1 })).toBe('')
})
