import { chmod, chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Catalog, CatalogProblem } from '../../src/catalog/index.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { holdfast, temporaryFolder } from '../support/holdfast.ts'

const script = new URL('../support/check-catalogs-process.ts', import.meta.url).pathname

type Checked = ({ readonly valid: true } & Catalog) | { readonly valid: false; readonly problems: readonly CatalogProblem[] }

/** What comes of each of these files, checked in one process. */
async function checked(folder: string, files: Readonly<Record<string, string>>): Promise<Record<string, Checked>> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  const code = Object.keys(files).filter((name) => /\.[mc]?[jt]s$/.test(name) && name !== 'helper.ts')
  const { exitCode, stdout, stderr } = await runProcess(process.execPath, [script, ...code.map((name) => join(folder, name))], {
    timeoutMs: 60_000,
  })
  expect(exitCode, stderr).toBe(0)
  const lines = stdout.trimEnd().split('\n')
  return Object.fromEntries(code.map((name, index) => [name, JSON.parse(lines[index] ?? '') as Checked]))
}

const yaml = `version: 1
name: acme
sites: { here: {} }
services:
  a: { owner: me, site: here, tier: 1, objectives: { rpo: 5m, rto: 15m } }
  b: { owner: me, site: here, tier: 1, objectives: { rpo: 5m, rto: 15m } }
`
const service = "{ owner: 'me', site: 'here', tier: 1, objectives }"
const typed = (services: string) => `import { defineCatalog } from 'holdfast/catalog'
import { objectives } from './helper.ts'
interface Unused { readonly a: string }
export default defineCatalog({ version: 1, name: 'acme', sites: { here: {} }, services: ${services} })
`

describe('a catalog as code', () => {
  test('is what the same in YAML is, also from a function, with its types taken out, and wherever it stands', async () => {
    await using folder = await temporaryFolder('code')
    await writeFile(join(folder.path, 'c.yaml'), 'services: { c: { owner: me, site: here, objectives: { rpo: 1h, rto: 1h } } }')
    const catalogs = await checked(folder.path, {
      'helper.ts': "export const objectives = { rpo: '5m', rto: '15m' } as const\n",
      'typed.ts': typed(`{ a: ${service}, b: ${service} }`),
      'made.mts': typed(`Object.fromEntries(['a', 'b'].map((name) => [name, ${service}]))`).replace(
        /defineCatalog\((.*)\)/,
        'defineCatalog(async () => ($1))',
      ),
      'plain.js': `export default { version: 1, name: 'acme', include: ['c.yaml'], sites: { here: {} }, services: {} }`,
    })
    await writeFile(join(folder.path, 'same.yaml'), yaml)
    const { hash } = (await holdfast(['--json', 'validate', join(folder.path, 'same.yaml')])).json<Catalog>()
    expect(catalogs['typed.ts']).toMatchObject({ valid: true, hash, files: [join(folder.path, 'typed.ts')] })
    expect(catalogs['made.mts']).toMatchObject({ valid: true, hash })
    expect(catalogs['plain.js']).toMatchObject({ valid: true, services: { c: { name: 'c' } } })
  })

  test('is checked as YAML is, and what cannot be run says why and where', async () => {
    await using folder = await temporaryFolder('code')
    const found = await checked(folder.path, {
      'wrong.ts': `// one\nexport default { version: 1, name: 'acme', sites: {}, services: { a: { owner: 'me', site: 'her', objectives: { rpo: 5, rto: '1h' } } } }\n`,
      'secret.ts': `const password = 'hunter2'\nexport default { version: 1, name: 'acme', sites: { here: {} }, services: {}, repositories: { nas: { url: '/n', site: 'here', password } } }\n`,
      'function.ts': 'export default { version: 1, name: () => 1 }\n',
      'nothing.ts': 'export const catalog = {}\n',
      'syntax.ts': 'export default {\n',
      'throws.ts': "const one: number = 1\nthrow new Error('no ' + one)\n",
      'enum.ts': 'enum A { b }\nexport default A\n',
    })
    const said = Object.fromEntries(
      Object.entries(found).map(([name, check]) => [
        name,
        check.valid ? [] : check.problems.map(({ code, line, message }) => `${code}:${line} ${message}`),
      ]),
    )
    expect(said).toEqual({
      'wrong.ts': [
        expect.stringContaining('unit-missing:2 services.a.objectives.rpo is 5 without a unit'),
        expect.stringContaining("unknown-reference:2 services.a.site names the site 'her'"),
      ],
      'secret.ts': ['plain-secret:2 repositories.nas.password must be a reference to a secret, not the secret itself'],
      'function.ts': ['wrong-type:1 name is a function'],
      'nothing.ts': ['missing:1 it exports no catalog'],
      'syntax.ts': [expect.stringMatching(/^code-failed:\d it cannot be run: /)],
      'throws.ts': ['code-failed:2 it cannot be run: no 1'],
      'enum.ts': [expect.stringMatching(/^code-failed:1 it cannot be run: .*enum/)],
    })
    expect(JSON.stringify(found)).not.toContain('hunter2')
  })
})

describe('holdfast.config.ts', () => {
  test('is the catalog of its folder, but not beside holdfast.yaml, nor when somebody else could have written it', async () => {
    await using folder = await temporaryFolder('code')
    const file = join(folder.path, 'holdfast.config.ts')
    await writeFile(join(folder.path, 'helper.ts'), "export const objectives = { rpo: '5m', rto: '15m' } as const\n")
    await writeFile(file, typed(`{ a: ${service} }`))
    const validate = (...args: string[]) => holdfast(['--json', ...args, 'validate'], { cwd: folder.path })
    expect((await validate()).json()).toMatchObject({ valid: true, file: 'holdfast.config.ts', name: 'acme' })

    await chmod(file, 0o666)
    const writable = await validate()
    expect(writable).toMatchObject({ exitCode: 2, stdout: '' })
    expect(writable.stderr).toContain('can be written by anybody, and it is code')
    expect((await validate('--catalog', 'holdfast.config.ts')).exitCode).toBe(0)
    await chmod(file, 0o644)

    await mkdir(join(folder.path, 'other'))
    await writeFile(join(folder.path, 'holdfast.yaml'), yaml)
    expect((await validate()).stderr).toContain('both holdfast.yaml and holdfast.config.ts are here')
  })

  test.runIf(process.getuid?.() === 0)('of another user is not run unless it is named', async () => {
    await using folder = await temporaryFolder('code')
    const file = join(folder.path, 'holdfast.config.ts')
    await writeFile(file, "throw new Error('it was run')\n")
    await chown(file, 12_345, 12_345)
    const { exitCode, stderr } = await holdfast(['validate'], { cwd: folder.path })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('belongs to another user (uid 12345)')
    expect(stderr).not.toContain('it was run')
  })
})
