import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkRunbook, createCatalogRepository, loadRunCatalog } from '../../src/service/index.ts'
import { holdfast, temporaryFolder } from '../support/holdfast.ts'

const repositoryRoot = new URL('../..', import.meta.url).pathname

/** A catalog with a folder of files and its plan; the repository is made, and a backup is in it. */
async function shop() {
  const folder = await temporaryFolder('runbook')
  const at = (name: string) => join(folder.path, name)
  await mkdir(at('data'))
  await writeFile(at('data/orders.csv'), 'one\n'.repeat(1000))
  await writeFile(at('password'), 'a password')
  const declare = (timeout: string) =>
    writeFile(
      at('holdfast.yaml'),
      `version: 1
name: shop
sites: { hq: {}, away: {} }
repositories: { nas: { url: repository, site: away, media: disk, password: { file: password } } }
services:
  orders:
    { owner: Shop, onCall: '+1-555-0100', site: hq, objectives: { rpo: 1h, rto: 1h }, data: { files: { paths: [${at('data')}] } }, backup: { to: nas }, recovery: back }
plans:
  back:
    recovers: [orders]
    steps:
      - id: restore
        do: { files.restore: { service: orders, target: ${at('back')} } }
        timeout: ${timeout}
        check: { shell: { run: [test, -s, ${at('back')}/orders.csv], effect: read-only } }
`,
    )
  await declare('10m')
  const catalog = await loadRunCatalog(at('holdfast.yaml'))
  await (await createCatalogRepository(catalog, 'nas'))[Symbol.asyncDispose]()
  const run = (...args: string[]) => holdfast(args, { cwd: folder.path })
  return { at, declare, run, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

describe('holdfast runbook', () => {
  test('goes from never recovered to what was measured, and the committed file stays current', async () => {
    await using here = await shop()
    expect(await here.run('runbook', 'orders', '--output', 'RUNBOOK.md')).toMatchObject({ exitCode: 0 })
    expect(await readFile(here.at('RUNBOOK.md'), 'utf8')).toContain('never: nobody knows whether this works')

    await here.run('backup', '--service', 'orders')
    const recovered = await here.run('recover', 'orders', '--yes')
    expect(recovered.exitCode, recovered.stderr).toBe(0)
    const { stdout, stderr, exitCode } = await here.run('runbook', 'orders')
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(/Last worked: \*\*\d{4}-\d\d-\d\d \d\d:\d\d UTC\*\*\./)
    expect(stdout).toMatch(/recovery completed, RPA .*, RTA .*, objectives met, 1 of 1 checks passed/)
    expect(stdout).toMatch(/\*\*Expect:\*\* <!-- measured -->\*\*about .*\*\*, measured in 1 past run<!-- \/measured -->/)

    const check = await here.run('--json', 'runbook', 'check', 'orders', 'RUNBOOK.md')
    expect({ exitCode: check.exitCode, ...check.json<object>() }).toEqual({
      exitCode: 0,
      service: 'orders',
      file: 'RUNBOOK.md',
      current: true,
      findings: [],
    })
  })

  test('fails the check when the plan has changed, and says what differs', async () => {
    await using here = await shop()
    await here.run('runbook', 'orders', '--no-evidence', '--output', 'orders.html')
    expect(await readFile(here.at('orders.html'), 'utf8')).toMatch(/^<!doctype html>/)
    expect((await here.run('runbook', 'check', 'orders', 'orders.html')).exitCode).toBe(0)
    await here.declare('20m')
    const { exitCode, stdout } = await here.run('runbook', 'check', 'orders', 'orders.html')
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/the plan has changed since: orders\.html is for [0-9a-f]{12}, the plan is [0-9a-f]{12}/)
    expect(stdout).toContain('should')
    const json = await here.run('--json', 'runbook', 'check', 'orders', 'orders.html')
    expect(json.exitCode).toBe(1)
    expect(json.json()).toMatchObject({ current: false, findings: [{ code: 'plan' }, { code: 'content' }] })
    await here.run('runbook', 'orders', '--output', 'orders.html')
    expect((await here.run('runbook', 'check', 'orders', 'orders.html')).exitCode).toBe(0)
  })

  test('is written also when the ledger cannot be read, and says so', async () => {
    await using here = await shop()
    await writeFile(here.at('password'), 'another password')
    const { exitCode, stdout, stderr } = await here.run('runbook', 'orders')
    expect(exitCode).toBe(0)
    expect(stderr).toContain('nas could not be looked into')
    expect(stdout).toContain('could not be looked into: `nas`')
    expect(stdout).not.toContain('never')
    expect(stdout).not.toContain('another password')
  })

  test('gives its text and what it is of as JSON', async () => {
    await using here = await shop()
    const result = await here.run('--json', 'runbook', 'orders', '--format', 'html')
    expect(result.exitCode).toBe(0)
    const { planHash, text } = result.json<{ planHash: string; text: string }>()
    expect(text).toContain(planHash)
    expect(result.json()).toMatchObject({ service: 'orders', plan: 'back', format: 'html', unseen: [] })
  })

  test('replaces a runbook, and nothing else', async () => {
    await using here = await shop()
    await writeFile(here.at('notes.md'), 'mine')
    expect((await here.run('runbook', 'orders', '--output', 'notes.md')).exitCode).toBe(1)
    expect(await readFile(here.at('notes.md'), 'utf8')).toBe('mine')
    expect((await here.run('runbook', 'check', 'orders', 'notes.md')).exitCode).toBe(1)
  })

  test('is a PDF too, which the check reads, and which replaces nothing but a runbook', async () => {
    await using here = await shop()
    expect(await here.run('runbook', 'orders', '--no-evidence', '--output', 'orders.pdf')).toMatchObject({ exitCode: 0 })
    const committed = await readFile(here.at('orders.pdf'))
    expect(committed.subarray(0, 5).toString()).toBe('%PDF-')
    expect((await here.run('runbook', 'check', 'orders', 'orders.pdf')).exitCode).toBe(0)

    await here.declare('20m')
    const json = await here.run('--json', 'runbook', 'check', 'orders', 'orders.pdf')
    expect(json.exitCode).toBe(1)
    expect(json.json()).toMatchObject({ current: false, findings: [{ code: 'plan' }, { code: 'content' }] })
    expect((await here.run('--json', 'runbook', 'orders', '--output', 'orders.pdf')).json()).toMatchObject({ format: 'pdf' })
    expect((await here.run('runbook', 'check', 'orders', 'orders.pdf')).exitCode).toBe(0)

    await writeFile(here.at('other.pdf'), '%PDF-1.3\nof somebody else')
    expect((await here.run('runbook', 'orders', '--output', 'other.pdf')).exitCode).toBe(1)
    expect((await here.run('--json', 'runbook', 'check', 'orders', 'other.pdf')).json()).toMatchObject({
      findings: [{ code: 'not-a-runbook' }],
    })
    const asJson = await here.run('--json', 'runbook', 'orders', '--format', 'pdf')
    expect(asJson.exitCode).toBe(2)
    expect(asJson.stderr).toContain('--output FILE.pdf')
  })

  test('can be of another plan, counts only its own runs, and is not taken for the recovery’s', async () => {
    await using here = await shop()
    const plan = `  home:
    recovers: [orders]
    steps:
      - { id: look, do: { shell: { run: [test, -d, ${here.at('data')}], effect: read-only } } }
`
    await appendFile(here.at('holdfast.yaml'), plan)
    await here.run('backup', '--service', 'orders')
    expect((await here.run('recover', 'orders', '--yes')).exitCode).toBe(0)

    const written = await here.run('--json', 'runbook', '--plan', 'home', '--output', 'HOME.md')
    expect(written.json()).toMatchObject({ service: 'orders', plan: 'home', output: 'HOME.md' })
    const text = await readFile(here.at('HOME.md'), 'utf8')
    expect(text).toContain('never: nobody knows whether this works')
    expect((await here.run('runbook', 'check', '--plan', 'home', 'HOME.md')).exitCode).toBe(0)
    expect((await here.run('runbook', 'check', 'orders', '--plan', 'home', 'HOME.md')).exitCode).toBe(0)
    const taken = await here.run('--json', 'runbook', 'check', 'orders', 'HOME.md')
    expect(taken.exitCode).toBe(1)
    expect(taken.json()).toMatchObject({ findings: [{ code: 'other-plan', found: 'home', expected: 'back' }] })

    expect((await here.run('recover', 'orders', '--plan', 'home', '--yes')).exitCode).toBe(0)
    expect((await here.run('runbook', '--plan', 'home')).stdout).toMatch(/Last worked: \*\*\d{4}/)
  })

  test('refuses what it does not know with 2', async () => {
    await using here = await shop()
    for (const args of [
      ['nothing'],
      ['orders', '--format', 'docx'],
      ['check', 'nothing', 'RUNBOOK.md'],
      ['check', 'orders'],
      [],
      ['--plan', 'nothing'],
      ['orders', '--plan', 'nothing'],
      ['check', '--plan', 'nothing', 'RUNBOOK.md'],
      ['check', 'RUNBOOK.md'],
    ]) {
      await writeFile(here.at('RUNBOOK.md'), '')
      expect((await here.run('runbook', ...args)).exitCode, args.join(' ')).toBe(2)
    }
  })
})

test.each([
  ['postgres', 'RUNBOOK.md', { service: 'shop' }],
  ['postgres-failover', 'RUNBOOK.md', { service: 'orders' }],
  ['postgres-failover', 'SWITCHBACK.md', { plan: 'orders-switchback' }],
])('the runbook of the example %s, %s, is current', async (name, file, of) => {
  const example = join(repositoryRoot, 'examples', name)
  const catalog = await loadRunCatalog(join(example, 'holdfast.yaml'))
  const committed = await readFile(join(example, file))
  expect(checkRunbook(catalog, of, committed)).toEqual([])
})
