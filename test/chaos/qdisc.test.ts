import { expect, test } from 'vitest'
import { netemOptions } from '../../src/faults/network-degrade.ts'
import { runProcess } from '../../src/kernel/index.ts'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { describeWith } from '../support/peers.ts'
import { twoPlaces } from '../support/two-places.ts'

const rate = (namespace: unknown) => ({ namespace, device: 'cable0', rate: '20kB', burst: '2KiB' })

describeWith('nftables', 'faults of queueing disciplines', () => {
  test('a rate slows what leaves by a device, and only our handle is removed', async () => {
    await using folder = await chaosFolder()
    await using places = await twoPlaces()
    await using guard = await guardIn(folder.path)
    const before = await places.qdiscs()
    const fault = await guard.inject(bound('network.rate', rate(places.namespace)), 60_000, never)
    expect(await places.qdiscs()).toMatch(/^qdisc tbf [0-9a-f]{4}: root .* rate 160Kbit/)
    // 20 packets of 1 KB at 20 kB a second: the last answer comes about a second after the first.
    const { stdout } = await places.inside('here', 'ping', '-c', '20', '-i', '0.002', '-s', '1000', '-W', '5', places.there)
    expect(Number(/mdev = [\d.]+\/[\d.]+\/([\d.]+)/.exec(stdout)?.[1])).toBeGreaterThan(200)
    await fault.end()
    expect(await places.qdiscs()).toBe(before)
  })

  test('a device with a queueing discipline of somebody else is refused, and keeps it', async () => {
    await using folder = await chaosFolder()
    await using places = await twoPlaces()
    await using guard = await guardIn(folder.path)
    const theirs = [
      'tc',
      'qdisc',
      'add',
      'dev',
      'cable0',
      'root',
      'handle',
      '77:',
      'tbf',
      'rate',
      '1gbit',
      'burst',
      '1mb',
      'latency',
      '9ms',
    ]
    await places.inside('here', ...theirs)
    const before = await places.qdiscs()
    const injected = guard.inject(bound('network.rate', rate(places.namespace)), 60_000, never)
    await expect(injected).rejects.toMatchObject({ code: 'fault-refused' })
    expect(await places.qdiscs()).toBe(before)
  })

  test('when somebody replaces our queueing discipline by theirs, the end leaves theirs alone', async () => {
    await using folder = await chaosFolder()
    await using places = await twoPlaces()
    await using guard = await guardIn(folder.path)
    const fault = await guard.inject(bound('network.rate', rate(places.namespace)), 60_000, never)
    await places.inside('here', 'tc', 'qdisc', 'del', 'dev', 'cable0', 'root')
    const theirs = [
      'tc',
      'qdisc',
      'add',
      'dev',
      'cable0',
      'root',
      'handle',
      '77:',
      'tbf',
      'rate',
      '1gbit',
      'burst',
      '1mb',
      'latency',
      '9ms',
    ]
    await places.inside('here', ...theirs)
    const before = await places.qdiscs()
    expect(await fault.look(never)).toEqual({ state: 'absent' })
    await fault.end()
    expect(await places.qdiscs()).toBe(before)
  })

  test('where the kernel has netem it is used, and where it has none the preflight says so', async () => {
    await using folder = await chaosFolder()
    await using places = await twoPlaces()
    await using guard = await guardIn(folder.path)
    const has = await runProcess('unshare', ['--net', '--', 'tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem'])
    const params = { namespace: places.namespace, device: 'cable0', delay: '200ms', jitter: '50ms' }
    const outcome = await guard.inject(bound('network.degrade', params), 60_000, never).then(
      async () => await places.qdiscs(),
      (error: Error) => error.message,
    )
    expect(outcome).toMatch(has.exitCode === 0 ? /netem .*delay 200ms +50ms/ : /netem is unavailable here/)
  })

  test('an experiment that is killed leaves no queueing discipline, at whatever step', { timeout: 600_000 }, async () => {
    await using places = await twoPlaces()
    const before = await places.qdiscs()
    await expectNothingLeft('network.rate', rate(places.namespace), async (after) => {
      expect(await places.qdiscs(), after).toBe(before)
    })
  })

  test('nor does one with netem, where the kernel has it', { timeout: 600_000 }, async ({ skip }) => {
    const has = await runProcess('unshare', ['--net', '--', 'tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem'])
    skip(has.exitCode !== 0, 'this kernel has no netem')
    await using places = await twoPlaces()
    const before = await places.qdiscs()
    const params = { namespace: places.namespace, device: 'cable0', delay: '200ms', jitter: '50ms' }
    await expectNothingLeft('network.degrade', params, async (after) => {
      expect(await places.qdiscs(), after).toBe(before)
    })
  })
})

test('netem is told in the words of its manual', () => {
  const device = 'eth0'
  expect(netemOptions({ device, delay: '200ms', jitter: '50ms', correlation: 25, distribution: 'normal' })).toEqual([
    'delay',
    '200ms',
    '50ms',
    '25%',
    'distribution',
    'normal',
  ])
  expect(netemOptions({ device, delay: '1s', reorder: 25, loss: 0.3, corrupt: 0.1, duplicate: 1 }).join(' ')).toBe(
    'delay 1000ms reorder 25% loss 0.3% corrupt 0.1% duplicate 1%',
  )
})
