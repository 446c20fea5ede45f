/** Holds connections to a Redis server until it ends: see holder/hold.ts. */
import { mapConcurrently } from '../../kernel/index.ts'
import { hold } from '../holder/hold.ts'
import { openRedis, type Redis } from './redis-client.ts'

const atATime = 8
/** A server with a `timeout` ends clients that say nothing; the shortest that it can have is a second more. */
const pingMs = 1000

hold<{ url: string; count: number; name: string }>(async ({ url, count, name }) => {
  const opened: Redis[] = []
  await mapConcurrently(Array.from({ length: count }), atATime, async () => {
    const redis = await openRedis(url)
    await redis.ask('CLIENT', 'SETNAME', name)
    opened.push(redis)
  })
  const keepAll = () => {
    // One that was ended shows in the server's list.
    void Promise.allSettled(opened.map((redis) => redis.ask('PING'))).then(() => setTimeout(keepAll, pingMs))
  }
  setTimeout(keepAll, pingMs)
  return opened.length
})
