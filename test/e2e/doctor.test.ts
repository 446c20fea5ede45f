import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Complaint, Diagnosis } from '../../src/service/index.ts'
import { holdfast, temporaryFolder } from '../support/holdfast.ts'

type Shown = {
  readonly diagnosis: Omit<Diagnosis, 'complaints'>
  readonly complaints: readonly (Complaint & { message: string; next?: string })[]
}

/** Documents that matter, and a wiki that matters less. */
async function office() {
  const folder = await temporaryFolder('doctor')
  const at = (name: string) => join(folder.path, name)
  await writeFile(at('password'), 'a password')
  await writeFile(at('letter.txt'), 'dear')
  await writeFile(
    at('holdfast.yaml'),
    `version: 1
name: office
sites: { hq: {}, cellar: {} }
repositories: { nas: { url: repository, site: cellar, password: { file: ${at('password')} } } }
services:
  wiki: { owner: Office, onCall: '1', tier: 3, site: hq, environment: staging, objectives: { rpo: 1d, rto: 1d }, recovery: back, dependsOn: [documents], health: { tcp: 'wiki:80' } }
  documents:
    { owner: Office, onCall: '1', tier: 1, site: hq, objectives: { rpo: 1d, rto: 1d }, data: { files: { paths: [${at('letter.txt')}] } }, backup: { to: nas }, recovery: back }
plans:
  back: { recovers: [documents, wiki], steps: [{ id: look, do: { shell: { run: 'true', effect: read-only } } }] }
`,
  )
  const run = (...args: string[]) => holdfast(['--catalog', at('holdfast.yaml'), ...args])
  return {
    run,
    async complaints(): Promise<Shown['complaints']> {
      return (await run('--json', 'doctor')).json<Shown>().complaints
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

test('the worst comes first, with the next command; what is mended is gone', async () => {
  await using at = await office()
  const before = await at.complaints()
  expect(before[0]).toMatchObject({ severity: 'critical', code: 'repository-unseen', repository: 'nas' })
  const order = before.map(({ severity }) => ['critical', 'serious', 'minor'].indexOf(severity))
  expect(order).toEqual(order.toSorted((a, b) => a - b))

  expect((await at.run('init')).exitCode).toBe(0)
  const empty = await at.complaints()
  expect(empty.map(({ code }) => code)).not.toContain('repository-unseen')
  // Of two that have nothing to recover from, the more important one is first.
  expect(empty[0]).toMatchObject({
    severity: 'critical',
    code: 'objective',
    objective: 'rpo',
    message: 'documents: RPO is unknown: there is no backup',
    next: 'run `holdfast backup --service documents`',
  })

  expect((await at.run('backup', '--service', 'documents')).exitCode).toBe(0)
  const saved = await at.complaints()
  expect(saved.filter(({ severity }) => severity === 'critical')).toEqual([])
  expect(saved.find(({ code }) => code === 'drill-due')).toMatchObject({
    message: expect.stringContaining('never drilled'),
    next: '`holdfast drill run back`',
  })
  expect(saved.filter(({ code }) => code === 'weakness').map((complaint) => 'lint' in complaint && complaint.lint)).toContain(
    'one-copy',
  )
})

test('it ends with 4 as long as something is serious, and says in the terminal what it looked at', async () => {
  await using at = await office()
  const { exitCode, stdout } = await at.run('doctor')
  expect(exitCode).toBe(4)
  expect(stdout).toMatch(/^critical +nas cannot be looked into/)
  expect(stdout).toMatch(/\d+ critical, .*; looked at 2 services, 0 repositories, 1 plan and 0 runs of office\n$/)
})

test('of one environment it looks at its services alone; one that has none is a mistake', async () => {
  await using at = await office()
  const { exitCode, stdout } = await at.run('doctor', '--environment', 'staging')
  expect(exitCode).toBe(4)
  expect(stdout).toMatch(/looked at 1 service, /)
  const mistaken = await at.run('status', '--environment', 'development')
  expect([mistaken.exitCode, mistaken.stdout]).toEqual([2, ''])
  expect(mistaken.stderr).toContain('is in development')
})
