import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { runProcess } from './process.ts'

test('any exit code is a result, with what was printed', async () => {
  const result = await runProcess('sh', ['-c', 'echo out; echo err >&2; exit 7'])
  expect(result).toMatchObject({ exitCode: 7, stdout: 'out\n', stderr: 'err\n' })
})

test('input reaches the program', async () => {
  expect((await runProcess('cat', [], { input: 'through' })).stdout).toBe('through')
})

test('input that is promised is given when it is there, and none when it never will be', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const onOutput = () => resolve('now')
  expect((await runProcess('sh', ['-c', 'echo ready; cat'], { input: promise, onOutput })).stdout).toBe('ready\nnow')
  const broken = Promise.reject<string>(new Error('never'))
  expect((await runProcess('cat', [], { input: broken })).stdout).toBe('')
})

test('a program that does not exist says so', async () => {
  await expect(runProcess('holdfast-no-such-program', [])).rejects.toMatchObject({ code: 'not-found' })
})

test('a timeout ends the children of the program too', async () => {
  const started: string[] = []
  const run = runProcess('sh', ['-c', 'sleep 60 & echo $!; wait'], { timeoutMs: 300, onOutput: (text) => started.push(text) })
  await expect(run).rejects.toMatchObject({ code: 'timed-out' })
  const child = Number(started.join(''))
  expect(child).toBeGreaterThan(0)
  await expect.poll(() => isRunning(child)).toBe(false)
})

test('an abort rejects with its reason, once the program is gone', async () => {
  const controller = new AbortController()
  const run = runProcess('sleep', ['60'], {}, controller.signal)
  controller.abort(new Error('enough'))
  await expect(run).rejects.toThrow('enough')
})

/** A zombie that nobody has reaped yet does not run. */
function isRunning(pid: number): boolean {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim()
  return state !== '' && !state.startsWith('Z')
}
