import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { checkCatalog } from './index.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-code-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function problemsOf(text: string, signal?: AbortSignal) {
  const file = join(folder, 'catalog.ts')
  await writeFile(file, text)
  const check = await checkCatalog(file, {}, signal)
  return check.valid ? [] : check.problems
}

describe('a catalog as code', () => {
  test('that throws says why without the secrets that it knows', async () => {
    vi.stubEnv('SHOP_API_TOKEN', 'tok-1234')
    const problems = await problemsOf(
      'throw new Error(`no answer from postgres://shop:hunter2@db/shop with ${process.env.SHOP_API_TOKEN}`)\n',
    )
    vi.unstubAllEnvs()
    expect(problems).toMatchObject([{ code: 'code-failed', line: 1 }])
    expect(problems[0]?.message).toMatch(/^it cannot be run: no answer from postgres:\/\/shop:\*+@db\/shop with \*\*\*$/)
  })

  test.each([
    ['a getter that throws', "export default { get name() { throw new Error('not today') } }\n", 'it cannot be run: not today'],
    [
      'what nothing waits for',
      "setImmediate(() => { throw new Error('late') })\nawait new Promise(() => {})\n",
      'it cannot be run: late',
    ],
    ['an end of the process', 'process.exit(0)\n', 'it cannot be run: it ends by itself, before it has exported anything'],
    [
      'the name __proto__',
      "export default { services: { ['__proto__']: {} } }\n",
      "the key '__proto__' is not allowed in services",
    ],
  ])('with %s is wrong, and nothing else fails', async (_what, text, message) => {
    expect((await problemsOf(text)).map((problem) => problem.message)).toContain(message)
  })

  test('is told of enums only where it has one', async () => {
    const [[syntax], [types]] = [await problemsOf('export default {\n'), await problemsOf('enum A { b }\nexport default A\n')]
    expect(syntax).toMatchObject({ code: 'code-failed' })
    expect(syntax).not.toHaveProperty('hint')
    expect(types?.hint).toContain('enums and namespaces cannot be used')
  })

  test.each([
    ['runs for ever', 'while (true);\n'],
    ['never answers', 'export default () => new Promise(() => {})\n'],
  ])('that %s ends when it is interrupted', async (_what, text) => {
    const interruption = new AbortController()
    const checking = problemsOf(text, interruption.signal)
    // Long enough that its thread is in it most often; a shorter one must end it too.
    setTimeout(() => interruption.abort(new Error('interrupted')), 300)
    await expect(checking).rejects.toThrow('interrupted')
  })
})
