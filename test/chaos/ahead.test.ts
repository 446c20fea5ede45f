import { expect, test } from 'vitest'
import { markedProcesses } from '../../src/faults/index.ts'
import { processesStartedWith } from '../../src/kernel/index.ts'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'

const variable = 'HOLDFAST_TEST_AHEAD'
process.env[variable] = String(process.pid)

const resolver = (port: number) => bound('dns.resolver', { listen: `127.77.0.61:${port}`, effect: { fail: 'SERVFAIL' } })

/** What this test has started, but the watchdog. */
async function holders(): Promise<number[]> {
  return await processesStartedWith(
    (started) => started.has(`${variable}=${process.pid}`) && !started.has('HOLDFAST_FAULT=watchdog'),
  )
}

test('the process that holds a fault is there before it is needed, and the next one while the fault lasts', async () => {
  await using folder = await chaosFolder()
  const [first, second] = [resolver(5301), resolver(5302)]
  {
    await using guard = await guardIn(folder.path, { ahead: [first, second] })
    const before = await holders()
    expect(before).toHaveLength(1)

    await using fault = await guard.inject(first, 60_000, never)
    expect(await markedProcesses(fault.id)).toEqual(before)
    expect(await holders()).toHaveLength(2)

    await fault.end()
    expect(await markedProcesses(fault.id)).toEqual([])
  }
  // The second was never injected.
  expect(await holders()).toEqual([])
})

test('where the one that was started ahead is gone, or the fault was refused, nothing is lost and nothing is left', async () => {
  await using folder = await chaosFolder()
  const refused = bound('dns.resolver', {
    listen: '127.77.0.61:5303',
    upstream: '127.77.0.61:5303',
    effect: { fail: 'SERVFAIL' },
  })
  const other = resolver(5304)
  await using guard = await guardIn(folder.path, { ahead: [refused, other] })
  await expect(guard.inject(refused, 60_000, never)).rejects.toMatchObject({ code: 'fault-refused' })
  expect(await holders()).toEqual([])

  await using _first = await guard.inject(resolver(5305), 60_000, never)
  const both = await holders()
  expect(both).toHaveLength(2)
  for (const pid of both) process.kill(pid, 'SIGKILL')
  await expect.poll(holders).toEqual([])
  await using fault = await guard.inject(other, 60_000, never)
  expect(await markedProcesses(fault.id)).toEqual(await holders())
})
