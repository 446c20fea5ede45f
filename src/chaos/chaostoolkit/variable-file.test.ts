import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mergeVariables, readVariableFile } from './variable-file.ts'
import { loadVariables } from './variables.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-variables-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

test.each([
  ['values without `configuration` around them', 'flat.yaml', 'host: db-2\n', 'Unrecognized key: "host"'],
  ['JSON that is cut off', 'cut.json', '{"configuration"', 'cannot be read'],
  ['a line that sets nothing', '.env', 'A=1\nB\n', '.env:2 sets nothing'],
  ['a scope that is a text', 'scope.json', '{"secrets": {"token": "t"}}', 'secrets.token'],
])('%s is refused, and what is wrong is named', async (_, name, content, message) => {
  await expect(readVariableFile(await file(name, content))).rejects.toMatchObject({
    code: 'experiment-invalid',
    message: expect.stringContaining(message) as string,
  })
})

test('a file that is not there is named', async () => {
  await expect(readVariableFile(join(folder, 'none.json'))).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('none.json') as string,
  })
})

test('the later file counts, and a scope of secrets is replaced as a whole', async () => {
  const first = await readVariableFile(
    await file('first.json', '{"configuration": {"a": 1, "b": 1}, "secrets": {"s": {"x": 1}}}'),
  )
  const second = await readVariableFile(await file('second.yml', 'configuration: { b: 2 }\nsecrets: { s: { n2: 2 } }\n'))
  const given = mergeVariables([first, second, { configuration: { c: 3 } }])
  const experiment = { title: 't', description: 'd', method: [], configuration: { a: 0 }, secrets: { s: { x: 0, z: 0 } } }
  expect(loadVariables(experiment, given, false)).toEqual({
    configuration: { a: 1, b: 2, c: 3 },
    secrets: { s: { n2: 2 } },
  })
  expect(loadVariables(experiment, given, true).configuration).toEqual({ a: 1 })
})
