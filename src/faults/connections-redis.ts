import { z } from 'zod'
import { HoldfastError, quote } from '../kernel/index.ts'
import { workerEntry } from '../threads/index.ts'
import { amountOf, amountParam, sessionName, type Amount } from './connections/amount.ts'
import { describeRedis, isTooManyForRedis, openRedis, type Redis } from './connections/redis-client.ts'
import { lookAtHeld } from './connections/sight.ts'
import { defineFault } from './define-fault.ts'
import { startHolder } from './holder/start.ts'
import { resolveUrl, urlInShell, urlOrSecret, type UrlOrSecret } from './location.ts'

const params = z.strictObject({ url: urlOrSecret, hold: amountParam.describe('How many connections to hold.') })
const traces = z.strictObject({ url: urlOrSecret, count: z.int().min(1), name: z.string() })
type Traces = z.infer<typeof traces>

const holder = () => workerEntry('connections/redis-worker', import.meta.url)

/** Sessions that do nothing take the places of those that would. */
export const connectionsRedis = defineFault<{ url: UrlOrSecret; hold: Amount }, Traces>({
  kind: 'connections.redis',
  description:
    'Holds connections to a Redis server (redis://, or rediss:// over TLS; whom to trust besides the usual authorities, NODE_EXTRA_CA_CERTS says), so that its clients find none free. They are named after the experiment (CLIENT SETNAME), say PING once a second, and are held by a process that ends with whoever injected it. Redis keeps no connection back for administrators: with `leave: 0` nobody gets in until the fault ends.',
  example: { url: { env: 'CACHE_URL' }, hold: { percent: 90 } },
  params,
  traces,
  expiry: 'with-holder',
  holder,

  async plan({ url, hold }, context, signal) {
    const location = await resolveUrl(url, context, signal)
    await using redis = await openRedis(location, signal)
    const { all, free } = await seats(redis)
    const count = amountOf(hold, free)
    return {
      targets: count === 0 ? [] : [`${count} of ${all} connections of ${describeRedis(location)}`],
      candidates: free,
      traces: { url, count, name: sessionName(context.experiment, context.id) },
    }
  },

  async inject(_params, { url, count, name }, context, signal) {
    const task = { url: await resolveUrl(url, context, signal), count, name }
    await startHolder(holder(), task, context, signal)
  },

  look: ({ url, count, name }, context, signal) =>
    lookAtHeld(
      count,
      async () => {
        await using redis = await openRedis(await resolveUrl(url, context, signal), signal)
        return (await heldClients(redis, name)).length
      },
      isTooManyForRedis,
      context,
    ),

  async undo({ url, name }, context, signal) {
    await using redis = await openRedis(await resolveUrl(url, context, signal), signal)
    // 0 for one that has ended by itself.
    for (const id of await heldClients(redis, name)) await redis.ask('CLIENT', 'KILL', 'ID', id)
  },

  manualUndo({ url, name }) {
    const redis = `redis-cli -u ${urlInShell(url)}`
    return [`${redis} client list | sed -n ${quote(`s/^id=\\([0-9]*\\) .* name=${name} .*/client kill id \\1/p`)} | ${redis}`]
  },
})

/** The ids of the clients of that name (redis.io, CLIENT LIST: one per line, `id=3 addr=… name=…`). */
async function heldClients(redis: Redis, name: string): Promise<string[]> {
  const lines = (await redis.ask('CLIENT', 'LIST')).split('\n')
  return lines.filter((line) => line.includes(` name=${name} `)).flatMap((line) => /^id=(\d+) /.exec(line)?.[1] ?? [])
}

/** How many clients it takes, and how many of them are free once this one is gone. `maxclients` is in INFO since Redis 7.0. */
async function seats(redis: Redis): Promise<{ all: number; free: number }> {
  const info = await redis.ask('INFO', 'clients')
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? Number.NaN)
  const [all, used] = [field('maxclients'), field('connected_clients')]
  if (Number.isNaN(all) || Number.isNaN(used)) {
    throw new HoldfastError('command-failed', {
      message: 'the server does not say how many clients it takes',
      hint: 'Redis 7.0 and newer do, in INFO clients',
    })
  }
  return { all, free: Math.max(0, all - (used - 1)) }
}
