import { expect, test } from 'vitest'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { describeWith } from '../support/peers.ts'
import { twoPlaces } from '../support/two-places.ts'

describeWith('nftables', 'faults of the packet filter', () => {
  test('a partition loses every packet of its peers, and nothing is left of it', async () => {
    await using folder = await chaosFolder()
    await using places = await twoPlaces()
    await using guard = await guardIn(folder.path)
    expect(await places.answered()).toBe(5)
    const { namespace, there } = places
    const fault = await guard.inject(bound('network.partition', { namespace, peers: [there] }), 60_000, never)
    expect(await places.answered()).toBe(0)
    expect(await places.tables()).toBe(`table inet holdfast_${fault.id}`)
    await fault.end()
    expect(await places.answered()).toBe(5)
    expect(await places.tables()).toBe('')
  })

  test('a partition of everybody spares who is excepted, and this machine itself', async () => {
    await using folder = await chaosFolder()
    await using places = await twoPlaces()
    await using guard = await guardIn(folder.path)
    const { namespace, there } = places
    const all = await guard.inject(bound('network.partition', { namespace }), 60_000, never)
    expect(await places.answered()).toBe(0)
    expect((await places.inside('here', 'ping', '-c', '1', '-W', '1', '127.0.0.1')).exitCode).toBe(0)
    await all.end()
    await guard.inject(bound('network.partition', { namespace, except: [there] }), 60_000, never)
    expect(await places.answered()).toBe(5)
  })

  test('a partition is in one direction when it is asked to be', async () => {
    await using folder = await chaosFolder()
    await using places = await twoPlaces()
    await using guard = await guardIn(folder.path)
    const { namespace, there } = places
    const arrived = async () => {
      const { stdout } = await places.inside('there', 'cat', '/proc/net/snmp')
      const [names = [], values = []] = stdout
        .split('\n')
        .filter((line) => line.startsWith('Icmp:'))
        .map((line) => line.split(' '))
      return Number(values[names.indexOf('InEchos')])
    }
    const before = await arrived()
    const incoming = await guard.inject(bound('network.partition', { namespace, peers: [there], direction: 'in' }), 60_000, never)
    expect(await places.answered()).toBe(0)
    expect(await arrived()).toBe(before + 5)
    await incoming.end()
    await guard.inject(bound('network.partition', { namespace, peers: [there], direction: 'out' }), 60_000, never)
    expect(await places.answered()).toBe(0)
    expect(await arrived()).toBe(before + 5)
  })

  test('a partition whose clean-up never comes expires by itself at its deadline', async () => {
    await using folder = await chaosFolder()
    await using places = await twoPlaces()
    const { namespace, there } = places
    const context = {
      id: '0123456789abcdef',
      experiment: 'test',
      folder: folder.path,
      deadlineMs: performance.timeOrigin,
      clock: { monotonicMs: () => performance.timeOrigin - 1500, now: () => new Date(), sleep: async () => {} },
      random: Math.random,
      resolveSecret: async () => Promise.reject(new Error('there is no secret')),
    }
    const fault = bound('network.partition', { namespace, peers: [there] })
    const { traces } = await fault.plan(context, never)
    await fault.inject(traces, context, never)
    expect(await fault.recall(traces).look(context, never)).toEqual({ state: 'present' })
    await expect.poll(() => places.answered()).toBe(5)
    expect(await fault.recall(traces).look(context, never)).toMatchObject({ state: 'partly' })
    await fault.recall(traces).undo(context, never)
    expect(await places.tables()).toBe('')
  })

  test('packets are lost in about the share that was asked for', async () => {
    await using folder = await chaosFolder()
    await using places = await twoPlaces()
    await using guard = await guardIn(folder.path)
    const { namespace } = places
    const all = await guard.inject(bound('network.loss', { namespace, percent: 100 }), 60_000, never)
    expect(await places.answered()).toBe(0)
    await all.end()
    await guard.inject(bound('network.loss', { namespace, percent: 50, direction: 'in' }), 60_000, never)
    const answered = await places.answered('here', 200)
    // With a chance of one half, fewer than 60 or more than 140 of 200 happen once in ten million times.
    expect(answered).toBeGreaterThan(60)
    expect(answered).toBeLessThan(140)
  })

  test('a blocked port hangs, another one answers', async () => {
    await using folder = await chaosFolder()
    await using places = await twoPlaces()
    await using guard = await guardIn(folder.path)
    const { namespace, here } = places
    /** Refused is an answer: nobody listens there. */
    const ask = async (port: number) =>
      (
        await places.inside(
          'there',
          process.execPath,
          '-e',
          `
      const s = require('net').connect(${port}, '${here}'); s.setTimeout(700, () => { console.log('hangs'); process.exit() })
      s.on('error', (e) => { console.log(e.code); process.exit() }).on('connect', () => { console.log('open'); process.exit() })`,
        )
      ).stdout.trim()
    expect(await ask(5432)).toBe('ECONNREFUSED')
    const fault = await guard.inject(bound('network.port-block', { namespace, ports: [5432] }), 60_000, never)
    expect(await ask(5432)).toBe('hangs')
    expect(await ask(5433)).toBe('ECONNREFUSED')
    await fault.end()
    expect(await ask(5432)).toBe('ECONNREFUSED')
  })

  test.for([
    ['network.partition', {}],
    ['network.loss', { percent: 100 }],
    ['network.port-block', { ports: [1] }],
  ] as const)(
    'an experiment with %s that is killed leaves no table of ours, at whatever step',
    { timeout: 600_000 },
    async ([kind, more]) => {
      await using places = await twoPlaces()
      const { namespace, there } = places
      await expectNothingLeft(
        kind,
        { namespace, ...(kind === 'network.port-block' ? {} : { peers: [there] }), ...more },
        async (after) => {
          expect(await places.tables(), after).toBe('')
          expect(await places.answered(), after).toBe(5)
        },
      )
    },
  )
})
