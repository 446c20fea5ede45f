import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createCatalogRepository, loadRunCatalog, type Checklist } from '../../src/service/index.ts'
import { holdfast, temporaryFolder } from '../support/holdfast.ts'

test('holdfast checklist says what is not so, what to do, and what somebody has attested', async () => {
  await using folder = await temporaryFolder('checklist')
  const file = join(folder.path, 'holdfast.yaml')
  await writeFile(join(folder.path, 'password'), 'a password')
  await writeFile(
    file,
    `version: 1
name: shop
sites: { here: {} }
repositories: { nas: { url: nas, site: here, password: { file: ./password } } }
services: { web: { site: here, objectives: { rpo: 1h, rto: 1h } } }
`,
  )
  await (await createCatalogRepository(await loadRunCatalog(file), 'nas'))[Symbol.asyncDispose]()
  const run = (...args: string[]) => holdfast(['--catalog', file, 'checklist', ...args])

  const first = await run('--service', 'web')
  expect(first.exitCode).toBe(4)
  expect(first.stdout).toContain('✗ somebody who can be reached answers for each service [owners]')
  expect(first.stdout).toContain('web: nobody is named as the owner of web')
  expect(first.stdout).toContain('→ `holdfast checklist attest training --by NAME`')
  expect(first.stdout).not.toContain('RPO 1 h')

  expect(await run('attest', 'drills', '--by', 'ann')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('people attest objectives-agreed') as string,
  })
  expect(await run('attest', 'training', '--by', 'Ann Lee', '--expires', '30d')).toMatchObject({ exitCode: 0 })
  const after = await run('--json')
  const item = after.json<Checklist>().items.find(({ code }) => code === 'training')
  expect(item).toMatchObject({
    state: 'yes',
    attested: true,
    answers: [{ of: 'web', evidence: [{ repository: 'nas', seq: 1 }] }],
  })
})
