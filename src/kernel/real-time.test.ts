import { spawn } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runProcess } from './process.ts'
import { schedulingPolicy } from './real-time.ts'

const [usual, roundRobin] = [0, 2]
const module = new URL('./real-time.ts', import.meta.url).pathname

/** In a process of its own, whose main thread nobody else needs. */
async function ran(...wrapper: string[]) {
  const script = `
    const { realTime, schedulingPolicy } = await import(${JSON.stringify(module)})
    const { execFileSync } = await import('node:child_process')
    const own = () => schedulingPolicy(process.pid)
    const started = () => Number(execFileSync('cat', ['/proc/self/stat'], { encoding: 'utf8' }).split(' ')[40])
    const scheduling = await realTime()
    const meanwhile = { own: await own(), started: started(), because: scheduling.because }
    await scheduling[Symbol.asyncDispose]()
    console.log(JSON.stringify({ meanwhile, after: await own() }))
  `
  const [program, ...args] = [...wrapper, process.execPath, '--input-type=module', '-e', script]
  const { stdout, stderr } = await runProcess(program, args)
  expect(stdout, stderr).not.toBe('')
  return JSON.parse(stdout) as { meanwhile: { own: number; started: number; because?: string }; after: number }
}

test('the main thread comes first until it is over, and what it starts does not', async ({ skip }) => {
  const { meanwhile, after } = await ran()
  // Not with every root: a container may lack CAP_SYS_NICE.
  if (meanwhile.because !== undefined) skip(`this machine lets nobody: ${meanwhile.because}`)
  expect(meanwhile).toEqual({ own: roundRobin, started: usual })
  expect(after).toBe(usual)
})

test('who may not, goes on as before, and knows why', async ({ skip }) => {
  if (process.geteuid?.() !== 0) skip('only root can give up its rights')
  const account = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups']
  const readable = await runProcess(account[0] ?? '', [...account.slice(1), 'test', '-r', module])
  if (readable.exitCode !== 0) skip('this checkout can only be read by root')
  expect(await ran(...account)).toEqual({
    meanwhile: { own: usual, started: usual, because: expect.stringMatching(/permitted/i) },
    after: usual,
  })
})

test('a policy that somebody has chosen is left alone', async () => {
  const { meanwhile, after } = await ran('chrt', '--batch', '0')
  expect(meanwhile.because).toContain('somebody has chosen it')
  expect([meanwhile.own, meanwhile.started, after]).toEqual([3, 3, 3])
})

test('the policy of a process is found behind whatever it is called, and of one that is gone there is none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-policy-'))
  const named = join(folder, 'x) R 1 (y')
  await copyFile('/bin/sleep', named)
  const child = spawn('chrt', ['--batch', '0', named, '30'], { stdio: 'ignore' })
  try {
    // Once chrt(1) has become it.
    await expect.poll(async () => await readFile(`/proc/${child.pid}/comm`, 'utf8')).toBe('x) R 1 (y\n')
    expect(await schedulingPolicy(child.pid ?? 0)).toBe(3)
  } finally {
    child.kill()
    await rm(folder, { recursive: true })
  }
  expect(await schedulingPolicy(2 ** 30)).toBeUndefined()
})
