import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openGuard } from '../../src/chaos/index.ts'
import { faults } from '../../src/faults/index.ts'
import { holdfast, temporaryFolder } from '../support/holdfast.ts'

test('a sweep tells of what is still held, and that nothing is left once it was taken back', async () => {
  await using folder = await temporaryFolder('sweep')
  const directory = join(folder.path, '.holdfast', 'chaos', 'faults')
  await mkdir(directory, { recursive: true })
  const child = spawn('sleep', ['600'])
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  const state = async () => (await readFile(`/proc/${child.pid}/stat`, 'utf8')).split(') ')[1]?.[0]
  const sweep = () => holdfast(['chaos', 'sweep', '--json'], { cwd: folder.path })
  {
    const signal = new AbortController().signal
    await using guard = await openGuard({ directory, faults, experiment: 'pause-it' }, signal)
    const fault = faults.find(({ kind }) => kind === 'process.pause')
    if (fault === undefined) throw new Error('there is no fault process.pause')
    await guard.inject(fault.bind({ target: { pid: child.pid }, by: 'signal' }), 60_000, signal)
    expect(await state()).toBe('T')
    const held = await sweep()
    expect(held.json()).toMatchObject({ swept: [{ state: 'held', kind: 'process.pause', experiment: 'pause-it' }] })
    expect(held.exitCode).toBe(0)
    expect(await state()).toBe('T')
  }
  expect(await state()).toBe('S')
  const nothing = await sweep()
  expect(nothing.json()).toEqual({ swept: [] })
})
