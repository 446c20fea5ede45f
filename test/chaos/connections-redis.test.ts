import { expect, test } from 'vitest'
import { runProcess } from '../../src/kernel/index.ts'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { describeWith } from '../support/peers.ts'
import { startRedis, type RedisServer } from '../support/redis.ts'
import { undoByHand } from '../support/undo-by-hand.ts'

/** What Redis's own client is answered. */
async function cli({ port }: RedisServer, ...words: readonly string[]): Promise<string> {
  const { stdout, stderr } = await runProcess('redis-cli', ['-h', '127.0.0.1', '-p', String(port), ...words])
  return stdout + stderr
}

async function held(server: RedisServer): Promise<string[]> {
  return [...(await cli(server, 'client', 'list')).matchAll(/ name=(holdfast-\S+) /g)].map(([, name = '']) => name)
}

describeWith('redis', 'connections of Redis', (redisServer) => {
  test('all but four connections are held, named after the experiment, and are free again at the end', async () => {
    await using folder = await chaosFolder()
    // It would end clients that say nothing for a second.
    await using server = await startRedis(redisServer, ['--maxclients', '40', '--timeout', '2'])
    await using guard = await guardIn(folder.path, { experiment: 'pool exhaustion' })
    const fault = await guard.inject(bound('connections.redis', { url: server.url, hold: { leave: 4 } }), 60_000, never)
    expect(fault.targets).toEqual([`36 of 40 connections of ${server.url}`])
    const started = Number(/^uptime_in_seconds:(\d+)/m.exec(await cli(server, 'info', 'server'))?.[1])
    const uptime = async () => Number(/^uptime_in_seconds:(\d+)/m.exec(await cli(server, 'info', 'server'))?.[1])
    await expect.poll(uptime).toBeGreaterThan(started + 4)
    const names = await held(server)
    expect(names).toHaveLength(36)
    expect(new Set(names)).toEqual(new Set([`holdfast-pool-exhaustion-${fault.id}`]))
    await fault.end()
    expect(await held(server)).toEqual([])
  })

  test('with none left nobody gets in, and the fault is still seen and ended', async () => {
    await using folder = await chaosFolder()
    await using server = await startRedis(redisServer, ['--maxclients', '10', '--requirepass', 'correct horse'])
    await using guard = await guardIn(folder.path)
    const variable = `HOLDFAST_TEST_REDIS_${server.port}`
    process.env[variable] = server.url.replace('//', '//:correct%20horse@')
    const fault = await guard.inject(bound('connections.redis', { url: { env: variable }, hold: { leave: 0 } }), 60_000, never)
    expect(await cli(server, 'ping')).toContain('max number of clients reached')
    expect(await fault.look(never)).toEqual({ state: 'present' })
    await fault.end()
    expect(await cli(server, 'ping')).toContain('NOAUTH')
  })

  test('the commands for people end the sessions', async () => {
    await using folder = await chaosFolder()
    await using server = await startRedis(redisServer)
    await using guard = await guardIn(folder.path)
    const fault = await guard.inject(bound('connections.redis', { url: server.url, hold: { count: 3 } }), 60_000, never)
    expect(await held(server)).toHaveLength(3)
    await undoByHand(folder.path, fault)
    expect(await fault.look(never)).toEqual({ state: 'absent' })
  })

  test('an experiment that is killed leaves no session, at whatever step', { timeout: 600_000 }, async () => {
    await using server = await startRedis(redisServer, ['--maxclients', '40'])
    await expectNothingLeft('connections.redis', { url: server.url, hold: { leave: 10 } }, async (after) => {
      expect(await held(server), after).toEqual([])
    })
  })
})
