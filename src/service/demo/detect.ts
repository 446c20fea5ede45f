import type { Clock } from '../../kernel/index.ts'
import { openSql } from '../../postgres/index.ts'

const everyMs = 100
/** One failure may be a hiccup. */
const failuresNeeded = 3

/** Watches a server as a health check would, until it has failed three times in a row. Gives how many times it was asked. */
export async function detectOutage(url: string, clock: Clock, signal: AbortSignal): Promise<number> {
  let asked = 0
  for (let failures = 0; failures < failuresNeeded; asked++) {
    if (asked > 0) await clock.sleep(everyMs, signal)
    failures = (await isHealthy(url, signal)) ? 0 : failures + 1
  }
  return asked
}

async function isHealthy(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    await using connection = await openSql(url, { connectTimeoutMs: 1000 }, signal)
    return (await connection.query('select 1')).length === 1
  } catch {
    signal.throwIfAborted()
    return false
  }
}
