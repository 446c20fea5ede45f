import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { markedProcesses } from '../../src/faults/index.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { describeWith } from '../support/peers.ts'

const hourMs = 3_600_000

/** A program that writes again and again what time it is, in milliseconds, and how many have passed on the monotonic clock since it began. */
const clock = (file: string) => [
  process.execPath,
  '-e',
  `const tell = () => require('node:fs').writeFileSync(${JSON.stringify(file)}, Date.now() + ' ' + performance.now() + ' ')
   tell()
   setInterval(tell, 20)`,
]

async function told(file: string): Promise<{ wallMs: number; monotonicMs: number }> {
  const text = await expect
    .poll(() => readFile(file, 'utf8').catch(() => ''))
    .toMatch(/ $/)
    .then(() => readFile(file, 'utf8'))
  const [wallMs = 0, monotonicMs = 0] = text.split(' ').map(Number)
  return { wallMs, monotonicMs }
}

/** libfaketime and we share memory there. */
const shared = async () => (await readdir('/dev/shm')).filter((name) => /faketime|holdfast/.test(name))

describeWith('libfaketime', 'clock.skew', () => {
  test('the program has a wrong clock, the machine has not, and nothing of it is left at the end', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const file = join(folder.path, 'time')
    const before = Date.now()
    const fault = await guard.inject(bound('clock.skew', { command: clock(file), offset: '-2h' }), 60_000, never)
    const { wallMs } = await told(file)
    expect(wallMs).toBeGreaterThanOrEqual(before - 2 * hourMs - 1000)
    expect(wallMs).toBeLessThan(Date.now() - 1.9 * hourMs)
    expect(Date.now()).toBeGreaterThanOrEqual(before)
    expect(await fault.look(never)).toEqual({ state: 'present' })
    expect(await shared()).toEqual([`holdfast-${fault.id}`, `sem.holdfast-${fault.id}`])
    await fault.end()
    expect(await markedProcesses(fault.id)).toEqual([])
    expect(await shared()).toEqual([])
    expect(await fault.look(never)).toEqual({ state: 'absent' })
  })

  test('its clock goes faster, and its monotonic clock as it should', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const file = join(folder.path, 'time')
    await guard.inject(bound('clock.skew', { command: clock(file), offset: '+1h', rate: 1000 }), 60_000, never)
    const first = await told(file)
    await expect.poll(async () => (await told(file)).monotonicMs - first.monotonicMs).toBeGreaterThan(100)
    const second = await told(file)
    const ratio = (second.wallMs - first.wallMs) / (second.monotonicMs - first.monotonicMs)
    expect(ratio).toBeGreaterThan(500)
    expect(ratio).toBeLessThan(2000)
  })

  test('what the program starts has the wrong clock too, as another user as well', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const asNobody = process.getuid?.() === 0 ? ['runuser', '-u', 'nobody', '--'] : []
    const command = [...asNobody, 'sh', '-c', 'date +%Y; sleep 600']
    const fault = await guard.inject(bound('clock.skew', { command, offset: '+5200w' }), 60_000, never)
    const output = join(folder.path, 'faults', fault.id, 'output')
    await expect.poll(async () => Number(await readFile(output, 'utf8'))).toBeGreaterThan(new Date().getFullYear() + 90)
    await fault.end()
    expect(await shared()).toEqual([])
  })

  test('a program that ends at once is no fault, and the reason is told', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const command = ['sh', '-c', 'echo no such database >&2; exit 3']
    await expect(guard.inject(bound('clock.skew', { command, offset: '+2h' }), 60_000, never)).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'sh ended at once (exit code 3): no such database',
    })
    expect(await shared()).toEqual([])
  })

  test('a program that is linked statically does not load it, and the fault says so', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    // ldconfig is, and it waits for whoever writes into its cache.
    const cache = join(folder.path, 'cache')
    expect((await runProcess('mkfifo', [cache])).exitCode).toBe(0)
    const command = ['/sbin/ldconfig', '-p', '-C', cache]
    await expect(guard.inject(bound('clock.skew', { command, offset: '+2h' }), 60_000, never)).rejects.toMatchObject({
      code: 'fault-failed',
      message: expect.stringContaining('/sbin/ldconfig does not load libfaketimeMT.so.1: it is linked statically') as string,
    })
    expect(await shared()).toEqual([])
  })

  test('when the program has ended, the fault is not there any more', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const command = ['sh', '-c', 'while [ ! -e "$0" ]; do sleep 0.05; done', join(folder.path, 'end')]
    const fault = await guard.inject(bound('clock.skew', { command, offset: '+2h' }), 60_000, never)
    await writeFile(join(folder.path, 'end'), '')
    await expect.poll(async () => (await fault.look(never)).state).not.toBe('present')
    await fault.end()
    expect(await fault.look(never)).toEqual({ state: 'absent' })
  })

  test('what is not there is refused before anything is started', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    const fault = bound('clock.skew', { command: ['/no/such/program'], offset: '+2h' })
    await expect(guard.inject(fault, 60_000, never)).rejects.toMatchObject({
      code: 'fault-refused',
      message: expect.stringContaining('there is no program /no/such/program') as string,
    })
    expect(() => bound('clock.skew', { command: ['true'], offset: '2h' })).toThrow(/\+2h or -5m/)
  })

  test('an experiment that is killed leaves nothing running, at whatever step', { timeout: 600_000 }, async () => {
    await using folder = await chaosFolder()
    await expectNothingLeft('clock.skew', { command: clock(join(folder.path, 'time')), offset: '+2h' }, async (after) => {
      expect(await shared(), after).toEqual([])
    })
  })
})
