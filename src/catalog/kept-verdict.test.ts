import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { checkCatalog, type KnownCalls } from './load.ts'

const catalog = `version: 1
name: kept
include: [parts/*.yaml]
sites: { here: {} }
services:
  api: { owner: me, site: here, objectives: { rpo: 1h, rto: 1h }, recovery: back }
plans:
  back: { recovers: [api], environment: test, steps: [{ id: a, do: { x: { n: 1 } } }] }
`
const part = 'services:\n  db: { owner: me, site: here, objectives: { rpo: 1h, rto: 1h } }\n'

async function folderWith(text = catalog, name = 'holdfast.yaml') {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-sound-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await mkdir(join(folder, '.holdfast'))
  await mkdir(join(folder, 'parts'))
  const [file, included] = [join(folder, name), join(folder, 'parts', 'db.yaml')]
  await writeFile(file, text)
  await writeFile(included, part)
  let asked = 0
  const check = async (program?: string, n: z.ZodType = z.int()) => {
    const calls = (): Promise<KnownCalls> => {
      asked++
      return Promise.resolve({ actionParams: { x: z.strictObject({ n }) } })
    }
    const before = asked
    const found = await checkCatalog(file, { calls, program })
    return { found, wasChecked: asked > before }
  }
  return { file, included, check, sound: join(folder, '.holdfast', 'cache', 'catalog', 'sound') }
}

test('a catalog that this program found sound is not checked again, and says the same', async () => {
  const { check } = await folderWith()
  const first = await check('one')
  expect(first).toMatchObject({ wasChecked: true, found: { valid: true } })
  const again = await check('one')
  expect(again.wasChecked).toBe(false)
  expect(again.found).toEqual(first.found)
})

test('another program checks it again, and one that does not say which it is does so each time', async () => {
  const { check } = await folderWith()
  await check('one')
  expect(await check('two', z.string())).toMatchObject({ wasChecked: true, found: { valid: false } })
  for (const _ of [1, 2]) expect(await check()).toMatchObject({ wasChecked: true, found: { valid: true } })
})

test('any of its files that says something else is checked, and what is wrong is never kept', async () => {
  const { file, included, check } = await folderWith()
  await check('one')
  await writeFile(included, part.replace('site: here', 'site: gone'))
  for (const _ of [1, 2]) expect(await check('one')).toMatchObject({ wasChecked: true, found: { valid: false } })
  await writeFile(included, part)
  expect(await check('one')).toMatchObject({ wasChecked: false, found: { valid: true } })
  await writeFile(file, catalog.replace('n: 1', 'n: one'))
  expect(await check('one')).toMatchObject({ wasChecked: true, found: { valid: false } })
})

test('a kept verdict that is not what was written is not believed', async () => {
  const { check, sound } = await folderWith()
  await check('one')
  const written = await readFile(sound, 'utf8')
  await writeFile(
    sound,
    written.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
  )
  expect(await check('one')).toMatchObject({ wasChecked: true })
})

test('a catalog as code is checked each time', async () => {
  const code = `export default { version: 1, name: 'kept', sites: { here: {} }, services: {} }\n`
  const { check } = await folderWith(code, 'holdfast.mjs')
  for (const _ of [1, 2]) expect(await check('one')).toMatchObject({ wasChecked: true, found: { valid: true } })
})
