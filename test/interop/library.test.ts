import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'

const root = new URL('../..', import.meta.url).pathname

function run(program: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  return stdout
}

/** A project that has the package as it would be published, installed, and nothing of the checkout but its dependencies. */
async function outsider() {
  const folder = await temporaryFolder('outsider')
  // Packing builds it anew, which must not pull the program away from under other tests.
  const checkout = join(folder.path, 'checkout')
  for (const part of ['bin', 'docs', 'examples', 'schema', 'scripts', 'src'])
    cpSync(join(root, part), join(checkout, part), { recursive: true })
  for (const part of ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'LICENSE', 'README.md'])
    cpSync(join(root, part), join(checkout, part))
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'))
  run('npm', ['pack', '--silent', '--pack-destination', folder.path], checkout)
  run('tar', ['-xzf', readdirSync(folder.path).find((name) => name.endsWith('.tgz')) ?? ''], folder.path)
  mkdirSync(join(folder.path, 'node_modules'))
  renameSync(join(folder.path, 'package'), join(folder.path, 'node_modules/holdfast'))
  symlinkSync(join(root, 'node_modules'), join(folder.path, 'node_modules/holdfast/node_modules'))
  writeFileSync(join(folder.path, 'package.json'), '{"type":"module"}')
  mkdirSync(join(folder.path, 'data'))
  writeFileSync(join(folder.path, 'data/orders.csv'), 'id,total\n1,2\n')
  return folder
}

const typed = `
import { openRepository, type CheckReport, type Repository, type Snapshot } from 'holdfast/repository'
const repository: Repository = await openRepository('./repository', 'a password')
const snapshots: Snapshot[] = await repository.snapshots({ tags: ['nightly'] })
let text = ''
for await (const piece of repository.read(snapshots[0]?.id ?? '', 'data/orders.csv')) text += Buffer.from(piece).toString()
const report: CheckReport = await repository.check()
console.log(text, report.ok, snapshots[0]?.tags)
// @ts-expect-error: what is not documented is not there
repository.readBlob
`

/** Types of a catalog as code: what they accept, and what they do not. */
const typedCatalog = `
import { defineCatalog, type CatalogInput } from 'holdfast/catalog'
const catalog: CatalogInput = defineCatalog({ version: 1, name: 'x', sites: { hq: {} }, services: { a: { site: 'hq', tier: 1 } } })
defineCatalog(async () => catalog)
// @ts-expect-error: durations have units, and are texts
defineCatalog({ version: 1, name: 'x', sites: {}, services: { a: { site: 'hq', objectives: { rpo: 5, rto: '1h' } } } })
// @ts-expect-error: a name that the catalog does not know
defineCatalog({ version: 1, name: 'x', sites: {}, services: { a: { site: 'hq', ownr: 'me' } } })
// @ts-expect-error: secrets are references
defineCatalog({ version: 1, name: 'x', sites: {}, services: {}, repositories: { a: { url: '/a', site: 'hq', password: 'x' } } })
`

describeWith('restic', 'the package as it is published', (restic) => {
  test(
    'runs the examples of its documentation, has the types for them, and shows nothing else',
    { timeout: 600_000 },
    async () => {
      await using folder = await outsider()
      const example = /```js\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs/library.md'), 'utf8'))?.[1] ?? ''
      writeFileSync(join(folder.path, 'example.js'), example)
      const printed = run(process.execPath, ['example.js'], folder.path)
      expect(printed).toContain('/data/orders.csv 13n')
      expect(printed).toMatch(/^freed \d+ bytes$/m)
      expect(readFileSync(join(folder.path, 'back/data/orders.csv'), 'utf8')).toBe('id,total\n1,2\n')

      writeFileSync(join(folder.path, 'typed.ts'), typed)
      const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'esnext', '--types', 'node']
      const types = ['--typeRoots', join(root, 'node_modules/@types')]
      run(join(root, 'node_modules/.bin/tsc'), [...options, ...types, 'typed.ts'], folder.path)
      expect(run(process.execPath, ['typed.ts'], folder.path)).toContain('id,total')

      const catalog = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs/catalog.md'), 'utf8'))?.[1] ?? ''
      writeFileSync(join(folder.path, 'holdfast.config.ts'), catalog)
      writeFileSync(join(folder.path, 'typed-catalog.ts'), typedCatalog)
      run(join(root, 'node_modules/.bin/tsc'), [...options, ...types, 'holdfast.config.ts', 'typed-catalog.ts'], folder.path)
      const validated = run(process.execPath, ['node_modules/holdfast/bin/holdfast.js', '--json', 'validate'], folder.path)
      expect(JSON.parse(validated)).toMatchObject({ valid: true, file: 'holdfast.config.ts', name: 'shops' })
      // The module itself, for programs that import such a file.
      const services = "console.log(Object.keys((await import('./holdfast.config.ts')).default.services).join())"
      expect(run(process.execPath, ['--input-type=module', '--eval', services], folder.path)).toBe('till-berlin,till-lisbon\n')

      writeFileSync(join(folder.path, 'inside.js'), "await import('holdfast/dist/kernel/index.js')")
      expect(() => run(process.execPath, ['inside.js'], folder.path)).toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED')
      // The real one finds nothing wrong with what the example wrote.
      writeFileSync(join(folder.path, 'password'), 'a password')
      run(restic, ['--repo', 'repository', '--password-file', 'password', '--no-cache', 'check', '--read-data'], folder.path)
    },
  )
})
