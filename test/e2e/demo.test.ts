import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { holdfast, temporaryFolder } from '../support/holdfast.ts'
import { describeWith } from '../support/peers.ts'

interface DemoResult {
  readonly verdict: string
  readonly rpoSeconds: number
  readonly rtoSeconds: number
  readonly rowsAcknowledged: number
  readonly rowsLost: number
  readonly filesLost: number
  readonly repository: string
  readonly passwordFile: string
  readonly ledgerHead: string
}

describeWith('restic', 'the demo', (restic) => {
  test('loses a PostgreSQL and a folder, brings both back with nothing lost, and leaves a repository that restic accepts', async () => {
    await using folder = await temporaryFolder('demo')
    const keep = join(folder.path, 'demo')
    const run = await holdfast(['demo', '--json', '--seconds', '3', '--keep', keep])
    expect(run.exitCode, run.stderr).toBe(0)
    const result = run.json<DemoResult>()
    expect(result).toMatchObject({ verdict: 'met', rowsLost: 0, filesLost: 0 })
    expect(result.rowsAcknowledged).toBeGreaterThan(100)
    expect(result.rpoSeconds).toBeGreaterThanOrEqual(0)
    expect(result.rtoSeconds).toBeGreaterThan(0)

    const check = spawnSync(
      restic,
      ['-r', result.repository, '--password-file', result.passwordFile, '--no-cache', 'check', '--read-data'],
      {
        encoding: 'utf8',
      },
    )
    expect(check.stdout + check.stderr).toContain('no errors were found')
    expect(check.status).toBe(0)

    const access = ['--repo', result.repository, '--password-file', result.passwordFile]
    expect((await holdfast([...access, 'ledger', 'verify', '--head', result.ledgerHead])).exitCode).toBe(0)
    expect((await holdfast([...access, 'check', '--read-data'])).exitCode).toBe(0)
  })

  test('Ctrl-C in the middle leaves neither a process nor a folder', async () => {
    await using folder = await temporaryFolder('demo-interrupted')
    const run = await holdfast(['demo', '--seconds', '30'], {
      env: { TMPDIR: folder.path },
      onStart: ({ kill }) => setTimeout(() => kill('SIGINT'), 6000),
    })
    expect(run.exitCode, run.stderr).toBe(130)
    // Node's own cache of compiled code may stay.
    expect((await readdir(folder.path)).filter((name) => name.startsWith('holdfast'))).toEqual([])
    const left = spawnSync('ps', ['-eo', 'stat=,args='], { encoding: 'utf8' }).stdout.split('\n')
    expect(left.filter((line) => !line.startsWith('Z') && line.includes(folder.path))).toEqual([])
  })
})

test('the demo refuses a folder that is not empty, and touches nothing in it', async () => {
  await using folder = await temporaryFolder('demo-refused')
  const precious = join(folder.path, 'precious')
  spawnSync('touch', [precious])
  const run = await holdfast(['demo', '--keep', folder.path])
  expect(run.exitCode).toBe(1)
  expect(run.stderr).toContain('is not empty')
  expect(existsSync(precious)).toBe(true)
})
