import { spawn, spawnSync } from 'node:child_process'
import { chmod, copyFile, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createRepositoryAt, recordEvidence, type LedgersVerification } from '../../src/service/index.ts'
import { backupBody } from '../support/evidence.ts'
import { holdfast, temporaryFolder } from '../support/holdfast.ts'

const appender = new URL('../support/append-evidence.ts', import.meta.url).pathname

/** A real repository on disk with `count` records, and the program's view of it from a machine that remembers nothing else. */
async function ledgerOf(count: number) {
  const folder = await temporaryFolder('ledger')
  const [repo, passwordFile, state] = ['repository', 'password', 'state'].map((name) => join(folder.path, name)) as [
    string,
    string,
    string,
  ]
  await writeFile(passwordFile, 'a password')
  // What this process remembers stays out of the way of what the program, run with its own state, remembers.
  process.env.HOLDFAST_STATE_DIR = join(folder.path, 'state-of-the-writer')
  await using repository = await createRepositoryAt({ repo, passwordFile })
  let head = ''
  for (let index = 1; index <= count; index++)
    head = (await recordEvidence(repository, 'backup', backupBody(`s${index}`), { service: 'a' })).hash
  const ledger = (...args: string[]) =>
    holdfast(['--repo', repo, '--password-file', passwordFile, '--json', 'ledger', ...args], {
      env: { HOLDFAST_STATE_DIR: state },
    })
  return {
    repo,
    passwordFile,
    state,
    head,
    place: (seq: number) => join(repo, 'holdfast', 'ledger', String(seq).padStart(10, '0')),
    ledger,
    async verify(...args: string[]) {
      const run = await ledger('verify', ...args)
      const [first] = run.json<LedgersVerification>().ledgers
      if (first === undefined) throw new Error('nothing was verified')
      return { exitCode: run.exitCode, ...first }
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

async function flipBit(path: string, at: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await chmod(path, 0o600)
  await writeFile(path, bytes)
}

describe('holdfast ledger verify on a repository on disk', () => {
  test('passes a sound ledger, and says what its head is', async () => {
    await using sound = await ledgerOf(3)
    expect(await sound.verify('--head', sound.head)).toMatchObject({
      exitCode: 0,
      verdict: 'ok',
      checked: 3,
      head: { seq: 3, hash: sound.head },
      anchors: 1,
    })
  })

  test('shows those of a time, of a kind or of a service', async () => {
    await using sound = await ledgerOf(3)
    const seqs = async (...args: string[]) =>
      (await sound.ledger('show', ...args)).json<{ records: { seq: number }[] }>().records.map(({ seq }) => seq)
    const hour = (from: number) => new Date(Date.now() + from * 3_600_000).toISOString().slice(0, 19) + 'Z'
    expect(await seqs('--from', hour(-1), '--to', hour(1), '--kind', 'backup', '--service', 'a')).toEqual([3, 2, 1])
    expect(await seqs('--to', hour(-1))).toEqual([])
    expect(await sound.ledger('show', '--from', 'yesterday')).toMatchObject({ exitCode: 2 })
  })

  test('does not pass an empty one', async () => {
    await using empty = await ledgerOf(0)
    expect(await empty.verify()).toMatchObject({ exitCode: 1, verdict: 'empty', checked: 0 })
  })

  test('finds one flipped bit anywhere in an object', async () => {
    await using damaged = await ledgerOf(3)
    await flipBit(damaged.place(2), 20)
    expect(await damaged.verify()).toMatchObject({
      exitCode: 1,
      findings: [{ code: 'altered', seq: 2, because: 'does-not-authenticate' }],
    })
    const shown = await damaged.ledger('show')
    expect(shown.exitCode).toBe(1)
    expect(shown.json<{ records: { seq: number }[] }>().records.map(({ seq }) => seq)).toEqual([3, 1])
    expect(shown.stderr).toContain('ledger-damaged')
  })

  test('finds an object cut short, a missing one, and one that does not belong', async () => {
    await using damaged = await ledgerOf(5)
    await chmod(damaged.place(2), 0o600)
    await writeFile(damaged.place(2), (await readFile(damaged.place(2))).subarray(0, 40))
    await rm(damaged.place(4))
    await writeFile(join(damaged.repo, 'holdfast', 'ledger', 'notes.txt'), 'mine')
    expect(await damaged.verify()).toMatchObject({
      exitCode: 1,
      findings: [
        { code: 'foreign', name: 'notes.txt' },
        { code: 'altered', seq: 2 },
        { code: 'missing', from: 4, to: 4 },
      ],
    })
  })

  test('finds two records that changed places, and one that was copied over another place', async () => {
    await using damaged = await ledgerOf(5)
    await rename(damaged.place(2), damaged.place(2) + '.tmp-swap')
    await rename(damaged.place(3), damaged.place(2))
    await rename(damaged.place(2) + '.tmp-swap', damaged.place(3))
    await copyFile(damaged.place(5), damaged.place(6))
    expect(await damaged.verify()).toMatchObject({
      exitCode: 1,
      findings: [
        { code: 'reordered', seq: 2, recordSeq: 3 },
        { code: 'reordered', seq: 3, recordSeq: 2 },
        { code: 'duplicated', seq: 6, of: 5 },
      ],
    })
  })

  test('finds the newest records cut off: by a head that was noted, or by what this machine remembers', async () => {
    await using cut = await ledgerOf(4)
    expect(await cut.verify()).toMatchObject({ exitCode: 0, anchors: 0 })
    await rm(cut.place(4))
    await rm(cut.place(3))
    expect(await cut.verify('--head', cut.head)).toMatchObject({
      exitCode: 1,
      findings: [
        { code: 'truncated', head: cut.head },
        { code: 'truncated', head: cut.head, seq: 4, newest: 2 },
      ],
    })
    expect(await cut.verify()).toMatchObject({ exitCode: 1, anchors: 1 })
    await rm(cut.state, { recursive: true })
    expect(await cut.verify()).toMatchObject({ exitCode: 0, anchors: 0, checked: 2 })
  })

  test('refuses a head that is none', async () => {
    await using sound = await ledgerOf(1)
    expect((await sound.ledger('verify', '--head', 'abc')).exitCode).toBe(2)
  })
})

describe('holdfast ledger export', () => {
  test('is verified by the one file that stands alone, with plain Node.js; changed, it is not', async () => {
    await using sound = await ledgerOf(2)
    const at = (name: string) => join(sound.repo, '..', name)
    const [catalog, output, program] = [at('holdfast.yaml'), at('evidence.jsonl'), at('verify.mjs')]
    await writeFile(
      catalog,
      `version: 1\nname: t\nsites: { here: {} }\nservices: {}\nrepositories: { nas: { url: repository, site: here, password: { file: ./password } } }\n`,
    )
    const run = (...args: string[]) =>
      holdfast(['--catalog', catalog, 'ledger', ...args], { env: { HOLDFAST_STATE_DIR: at('state-of-the-writer') } })
    const { own } = (await run('keys', '--json')).json<{ own: string }>()
    expect(await run('export', '--output', output)).toMatchObject({ exitCode: 0 })
    expect(await run('export', '--output', output)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('already') as string,
    })
    // It leads nowhere, so that it is only seen when the export is to have its name.
    await symlink('nowhere', at('link.jsonl'))
    expect(await run('export', '--output', at('link.jsonl'))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('already') as string,
    })
    expect((await readdir(at('.'))).filter((name) => name.startsWith('link'))).toEqual(['link.jsonl'])

    await copyFile(new URL('../../bin/verify-ledger.mjs', import.meta.url), program)
    const verify = (...args: string[]) => {
      // The Node.js that starts Holdfast, not the one that it runs on.
      const { status, stdout } = spawnSync('node', [program, output, ...args], {
        encoding: 'utf8',
        cwd: '/',
        env: { PATH: process.env.PATH },
      })
      return { status, stdout }
    }
    expect(verify('--key', own, '--head', sound.head)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('ok: 2 records, 2 signed by known keys') as string,
    })
    expect(verify()).toMatchObject({ status: 2 })
    await writeFile(output, (await readFile(output, 'utf8')).replace('"skipped":0', '"skipped":1'))
    expect(verify('--key', own)).toMatchObject({ status: 1, stdout: expect.stringContaining('wrong-signature') as string })
  })
})

describe('what cannot be written, or not be seen', () => {
  test('leaves no half an export, and ends a report with exit code 3; bad names are refused before any work', async () => {
    await using sound = await ledgerOf(1)
    const at = (name: string) => join(sound.repo, '..', name)
    const repository = (url: string, password: string) => `{ url: ${url}, site: here, password: { file: ./${password} } }`
    const catalogOf = async (name: string, repositories: string) => {
      const text = `version: 1\nname: t\nsites: { here: {} }\nservices: {}\nrepositories: { ${repositories} }\n`
      await writeFile(at(name), text)
      return (...args: string[]) => holdfast(['--catalog', at(name), ...args], { env: { HOLDFAST_STATE_DIR: sound.state } })
    }
    await writeFile(at('wrong'), 'another password')
    const wrong = await catalogOf('wrong.yaml', `nas: ${repository('repository', 'wrong')}`)
    expect(await wrong('ledger', 'export', '--output', at('evidence.jsonl'))).toMatchObject({ exitCode: 12 })
    expect((await readdir(at('.'))).filter((name) => name.startsWith('evidence'))).toEqual([])

    const partly = await catalogOf(
      'partly.yaml',
      `nas: ${repository('repository', 'password')}, locked: ${repository('repository', 'wrong')}, away: ${repository('away', 'password')}`,
    )
    const report = await partly('report', '--from', '2026-01-01', '--output', at('report.json'))
    expect(report).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('locked could not be looked into') as string })
    const { unseen } = JSON.parse(await readFile(at('report.json'), 'utf8')) as { unseen: { repository: string }[] }
    expect(unseen.map((each) => each.repository)).toEqual(['locked', 'away'])

    expect(await partly('report', '--from', '2026-01-01', '--output', at('none/report.html'))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/there is no folder .*none[\s\S]*make the folder first/) as string,
    })
    expect(await partly('report', '--from', '2026-01-01', '--output', at('report.docx'))).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('no report ends with .docx') as string,
    })
  })
})

describe('several processes append at once', () => {
  test('each record gets a place of its own, none is lost, and the chain is unbroken', async () => {
    await using shared = await ledgerOf(0)
    const processes = ['a', 'b', 'c'].map((name) => append(shared, name, 10))
    const places = (await Promise.all(processes.map(({ places }) => places))).flat()
    expect(places.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1))
    expect(await shared.verify()).toMatchObject({ exitCode: 0, verdict: 'ok', checked: 30 })
  })

  test('SIGKILL in the middle leaves whole records only, all that were reported among them', async () => {
    await using shared = await ledgerOf(1)
    const victim = append(shared, 'victim', 100_000)
    const survivor = append(shared, 'survivor', 20)
    // Which of the two gets going first is the machine's choice: the kill waits until the victim is in the midst of its work.
    await Promise.race([victim.reportedSome, victim.places])
    victim.kill()
    await survivor.places
    const reported = await victim.places
    expect(reported.length).toBeGreaterThan(0)
    const result = await shared.verify()
    expect(result).toMatchObject({ exitCode: 0, verdict: 'ok' })
    expect(result.checked).toBeGreaterThanOrEqual(1 + 20 + reported.length)
    expect((await readdir(join(shared.repo, 'holdfast', 'ledger'))).length).toBeGreaterThanOrEqual(result.checked)
  })
})

function append(
  { repo, passwordFile, state }: { repo: string; passwordFile: string; state: string },
  name: string,
  count: number,
) {
  const child = spawn(process.execPath, [appender, repo, passwordFile, name, String(count)], {
    env: { ...process.env, HOLDFAST_STATE_DIR: state },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  const some = Promise.withResolvers<void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (output.split('\n').length > 5) some.resolve()
  })
  const { promise, resolve, reject } = Promise.withResolvers<number[]>()
  child.once('error', reject)
  child.once('close', () => resolve(output.split('\n').slice(0, -1).map(Number)))
  return { places: promise, reportedSome: some.promise, kill: () => child.kill('SIGKILL') }
}
