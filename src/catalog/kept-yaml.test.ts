import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { keepYaml, readYamlKept } from './kept-yaml.ts'
import { checkCatalog, requireValid } from './load.ts'
import { readYaml } from './yaml-source.ts'

/** A service in 300 has no owner, which is a warning at its line. */
function catalogText(more = ''): string {
  const services = Array.from({ length: 900 }, (_, index) => {
    const owner = index % 300 === 0 ? '' : 'owner: *team, '
    return `  s${index}: { ${owner}site: here, objectives: { rpo: 1h, rto: ${1 + index}m }, description: "${'é'.repeat(40)}" }`
  })
  return `version: 1\nname: many\nx-team: &team Team 1\nsites: { here: {} }\n${more}services:\n${services.join('\n')}\n`
}

async function folderWith(text: string, state: 'kept' | 'nothing kept' = 'kept') {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-kept-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  if (state === 'kept') await mkdir(join(folder, '.holdfast'))
  const file = join(folder, 'holdfast.yaml')
  await writeFile(file, text)
  const kept = async () => {
    const names = await readdir(join(folder, '.holdfast', 'cache', 'catalog')).catch(() => [])
    return names.map((name) => join(folder, '.holdfast', 'cache', 'catalog', name))
  }
  const read = async () => {
    const { catalog, warnings } = requireValid(await checkCatalog(file))
    return { catalog, warnings }
  }
  return { folder, file, kept, read }
}

test('a large catalog is the same from what is kept of it, also the places of its warnings', async () => {
  const { kept, read } = await folderWith(catalogText())
  const first = await read()
  expect(await kept()).toHaveLength(1)
  const again = await read()
  expect(again).toEqual(first)
  expect(again.warnings.filter(({ code }) => code === 'no-owner').map(({ line }) => line)).toEqual([6, 306, 606])
})

test('each path has the places that it has in the text: through anchors and merges, and of what is not there', async () => {
  const { file } = await folderWith(catalogText())
  const text = `# ${'x'.repeat(70_000)}
base: &base { a: 1, list: [1, [two, { b: }]], nothing: }
other: { <<: *base, a: 2 }
again: *base
'quoted key':
  - first
  -
    deep: { e: &e [x], f: *e }
`
  const source = readYaml(text)
  await keepYaml([{ text, source }], file)
  const kept = readYamlKept(text, file)
  expect(kept.value).toEqual(source.value)
  const part = fc.constantFrom(
    'base',
    'other',
    'again',
    'quoted key',
    'a',
    'b',
    'list',
    'nothing',
    'deep',
    'e',
    'f',
    'toString',
    0,
    1,
    2,
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), (path) => {
      expect(kept.keyOffset(path)).toBe(source.keyOffset(path))
      expect(kept.valueOffset(path)).toBe(source.valueOffset(path))
      expect(kept.lineColumn(kept.valueOffset(path))).toEqual(source.lineColumn(source.valueOffset(path)))
    }),
    { numRuns: 2000 },
  )
  expect(kept.written(['other', 'a'])).toEqual(source.written(['other', 'a']))
})

test('what is kept is looked up by what the text says now, and is not believed when it is damaged', async () => {
  const { file, kept, read } = await folderWith(catalogText())
  await read()
  const [path = ''] = await kept()
  const content = await readFile(path, 'utf8')
  await writeFile(path, content.replace('"s7"', '"s8"'))
  expect((await read()).catalog.services).toHaveProperty('s7')
  expect(await readFile(path, 'utf8')).toBe(content)
  await writeFile(file, catalogText().replace('s7:', 'other:'))
  const { catalog } = await read()
  expect(catalog.services).toHaveProperty('other')
  expect(catalog.services).not.toHaveProperty('s7')
})

test('nothing is kept of a file of comments alone', async () => {
  const { file, kept, read } = await folderWith(
    "version: 1\nname: few\nsites: { here: {} }\nservices: {}\ninclude: ['more/*.yaml']\n",
  )
  await mkdir(join(file, '..', 'more'))
  await writeFile(join(file, '..', 'more', 'later.yaml'), '# to be written\n'.repeat(5000))
  expect((await read()).catalog.services).toEqual({})
  expect(await kept()).toEqual([])
})

test('only the newest are kept; what others are writing is left, and what a crash has left goes', async () => {
  const { folder, file, read, kept } = await folderWith(catalogText())
  const cache = join(folder, '.holdfast', 'cache', 'catalog')
  await mkdir(cache, { recursive: true })
  const old = new Date(Date.now() - 10 * 86_400_000)
  const write = async (name: string, at?: Date) => {
    await writeFile(join(cache, name), '')
    if (at) await utimes(join(cache, name), at, at)
  }
  for (let nth = 0; nth < 70; nth++) await write(`${nth}.json`, new Date(old.getTime() + nth * 1000))
  await write('a.json-tmp-being-written')
  await write('b.json-tmp-left', old)
  // It has its name, and is gone when it is looked at.
  await symlink('nowhere', join(cache, 'gone.json'))
  await read()
  const names = (await kept()).map((path) => basename(path))
  expect(names.filter((name) => /^\d+\.json$/.test(name)).toSorted()).toEqual(
    Array.from({ length: 63 }, (_, nth) => `${7 + nth}.json`).toSorted(),
  )
  expect(names).toContain('a.json-tmp-being-written')
  expect(names).not.toContain('b.json-tmp-left')
  await writeFile(file, catalogText().replace('s7:', 'other:'))
  expect((await read()).catalog.services).toHaveProperty('other')
})

test.each([
  ['of a catalog that is not valid: it may hold a secret', catalogText('clusters: { a: { kubeconfig: hunter2 } }\n'), 'kept'],
  ['where Holdfast keeps nothing yet', catalogText(), 'nothing kept'],
  ['of a small one', 'version: 1\nname: few\nsites: { here: {} }\nservices: {}\n', 'kept'],
] as const)('nothing is kept %s', async (_what, text, state) => {
  const { file, kept } = await folderWith(text, state)
  await checkCatalog(file)
  expect(await kept()).toEqual([])
})
