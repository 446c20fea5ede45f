import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { layers } from './layers.ts'

const root = new URL('..', import.meta.url).pathname

/** What oxlint reports for source texts placed in an area: `probe.ts`, and others by name. */
async function lint(
  area: string,
  source: string,
  others: Readonly<Record<string, string>> = {},
): Promise<{ status: number | null; output: string }> {
  await mkdir(join(root, 'src', area), { recursive: true })
  const folder = await mkdtemp(join(root, 'src', area, 'lint-probe-'))
  try {
    for (const [name, text] of Object.entries({ 'probe.ts': source, ...others })) await writeFile(join(folder, name), text)
    const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/oxlint'), ['--format=unix', folder], {
      cwd: root,
      encoding: 'utf8',
    })
    return { status, output: stdout }
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('the linter refuses an import upwards', async () => {
  const { status, output } = await lint('kernel', "export { x } from '../../storage/index.ts'\n")
  expect(output).toContain('no-restricted-imports')
  expect(status).not.toBe(0)
})

test('the linter refuses to enter an area other than through its index', async () => {
  const { status, output } = await lint('storage', "export { HoldfastError } from '../../kernel/errors.ts'\n")
  expect(output).toContain('no-restricted-imports')
  expect(status).not.toBe(0)
})

test('the linter accepts an import that the table allows', async () => {
  const { status, output } = await lint('storage', "export { HoldfastError } from '../../kernel/index.ts'\n")
  expect(output).not.toContain('no-restricted-imports')
  expect(status).toBe(0)
})

test('the linter refuses a cycle of imports', async () => {
  const { status, output } = await lint('kernel', "import { b } from './other.ts'\n\nexport const a = (): number => b()\n", {
    'other.ts': "import { a } from './probe.ts'\n\nexport const b = (): number => a()\n",
  })
  expect(output).toContain('no-cycle')
  expect(status).not.toBe(0)
})

test('the linter refuses a promise that nobody waits for', async () => {
  const { status, output } = await lint('kernel', 'export function f(work: () => Promise<void>): void {\n  work()\n}\n')
  expect(output).toContain('no-floating-promises')
  expect(status).not.toBe(0)
})

test('the linter looked at modules of every area, and every area is in the table', async () => {
  const areas = (await readdir(join(root, 'src'), { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
  expect(areas.filter((area) => !(area in layers))).toEqual([])
  const { stdout } = spawnSync(join(root, 'node_modules/.bin/oxlint'), ['--debug=files', 'src'], { cwd: root, encoding: 'utf8' })
  for (const area of areas) expect(stdout, `no module of ${area} was linted`).toContain(`src/${area}/`)
})
