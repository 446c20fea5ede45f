import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import type { PlanOutcome } from '../../src/recovery/index.ts'
import { holdfast, repositoryIn, temporaryFolder } from '../support/holdfast.ts'

const program = new URL('../../bin/holdfast.js', import.meta.url).pathname
const columns = 70

async function catalogIn(folder: string, steps: object[]): Promise<string> {
  const catalog = join(folder, 'holdfast.yaml')
  const objectives = { rpo: '1h', rto: '1h' }
  const web = { owner: 'Tests', site: 'here', objectives, health: { http: 'http://127.0.0.1:1/' }, recovery: 'back' }
  const repositories = { local: { url: './repository', site: 'here', media: 'disk', password: { file: './password' } } }
  const plans = { back: { recovers: ['web'], steps } }
  await writeFile(catalog, stringify({ version: 1, name: 'live', sites: { here: {} }, repositories, services: { web }, plans }))
  return catalog
}

const verify = { id: 'verify', do: { shell: { run: 'true', effect: 'read-only' } }, after: ['first'] }

/** A command on a pseudo-terminal, by `script` of util-linux. */
function onTerminal(args: readonly string[]) {
  const command = `stty cols ${columns} rows 20; exec ${[process.execPath, program, ...args].map((arg) => `'${arg}'`).join(' ')}`
  const child = spawn('script', ['-q', '-e', '-c', command, '/dev/null'], {
    // Not as if npx had started it: that would end it with its parent.
    env: { ...process.env, npm_command: undefined, NO_COLOR: '1', TERM: 'xterm', LC_ALL: 'C.UTF-8' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const ended = new Promise<string>((resolve) => child.once('close', () => resolve(output)))
  return { ended, kill: () => child.kill('SIGKILL') }
}

describe.skipIf(process.platform !== 'linux')('a run on a terminal', () => {
  test('is drawn over itself, never wider than the terminal; its last state stays, and the cursor is shown again', async () => {
    await using folder = await temporaryFolder('live')
    const first = { id: 'first', do: { shell: { run: 'for i in 1 2 3; do echo part $i; sleep 0.3; done', undo: 'true' } } }
    const catalog = await catalogIn(folder.path, [first, verify])
    const output = await onTerminal(['--catalog', catalog, 'recover', 'web', '--yes']).ended

    expect(output).toContain('\u001B[?25l')
    expect(output.lastIndexOf('\u001B[?25h')).toBeGreaterThan(output.lastIndexOf('\u001B[?25l'))
    expect(output).toMatch(/part [123]/)
    const pictures = output.slice(0, output.lastIndexOf('\u001B[?25h')).split('\u001B[J')
    expect(pictures.length).toBeGreaterThan(2)
    for (const line of pictures.flatMap((picture) => stripVTControlCharacters(picture).split(/\r?\n/))) {
      expect(Array.from(line).length).toBeLessThanOrEqual(columns)
    }
    expect(pictures.at(-2)).toMatch(/back {2}succeeded[^]*✓ first +done in [^]*✓ verify +done in /)
  })

  test('goes on when the terminal goes away, and can be seen to its end from elsewhere', async () => {
    await using folder = await temporaryFolder('live')
    const go = join(folder.path, 'go')
    const wait = `echo began >> '${folder.path}/began'; until test -e '${go}'; do echo waiting; sleep 0.1; done`
    const catalog = await catalogIn(folder.path, [{ id: 'first', do: { shell: { run: wait, undo: 'true' } } }, verify])
    await repositoryIn(folder.path)
    const terminal = onTerminal(['--catalog', catalog, 'recover', 'web', '--yes'])
    await expect.poll(() => readFile(join(folder.path, 'began'), 'utf8').catch(() => ''), { timeout: 60_000 }).toBe('began\n')
    terminal.kill()
    await terminal.ended
    // It has drawn into nothing meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await writeFile(go, '')

    const watched = await holdfast(['--catalog', catalog, '--json', 'run', 'watch', 'latest'])
    expect(watched.exitCode, watched.stderr).toBe(0)
    expect(watched.json<{ result: PlanOutcome }>().result.status).toBe('succeeded')
    expect(await readFile(join(folder.path, 'began'), 'utf8')).toBe('began\n')
  })
})
