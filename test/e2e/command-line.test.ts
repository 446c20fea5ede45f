import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { holdfast } from '../support/holdfast.ts'

test.for([
  { args: ['nosuch'], message: "unknown command 'nosuch'", help: 'holdfast' },
  { args: ['snapshots', '--bogus'], message: "unknown option '--bogus'", help: 'holdfast snapshots' },
  { args: ['runbook', 'check'], message: "missing required argument 'names'", help: 'holdfast runbook check' },
  { args: ['run'], message: '`holdfast run` needs one of its commands behind it', help: 'holdfast run' },
])('with --json, "$args" is refused as every error is: one object on stderr', async ({ args, message, help }) => {
  const { exitCode, stdout, stderr } = await holdfast(['--json', ...args])
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  const hint = `\`${help} --help\` shows what is accepted`
  expect(JSON.parse(stderr)).toEqual({ type: 'error', code: 'usage', message, hint, details: {} })
})

test('a person is told which help to ask for, below whichever command it stands', async () => {
  expect(await holdfast(['runbook', 'check'])).toMatchObject({
    exitCode: 2,
    stdout: '',
    stderr: "holdfast: missing required argument 'names'\nHINT: `holdfast runbook check --help` shows what is accepted\n",
  })
  expect((await holdfast(['run'])).stderr).toMatch(/^Usage: holdfast run /)
})

test('the program runs when Node is told to run its source', async () => {
  const main = new URL('../../src/main.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [main, '--bogus'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const closed = once(child, 'close')
  const said = await Array.fromAsync(child.stderr.setEncoding('utf8') as AsyncIterable<string>)
  expect(await closed).toEqual([2, null])
  expect(said.join('')).toContain("unknown option '--bogus'")
})
