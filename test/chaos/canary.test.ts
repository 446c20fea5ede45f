import { expect, test } from 'vitest'
import { sqlCanary } from '../../src/chaos/canary/sql.ts'
import { never } from '../support/chaos.ts'
import { describeWith } from '../support/peers.ts'
import { startPair } from '../support/replication.ts'

describeWith('postgresql-15', 'rows of the canary', () => {
  test('are removed where the standby still is one; a server that may lead no more is left alone', async () => {
    await using pair = await startPair({ version: 15 })
    const { primary, standby } = pair
    const rows = async () => Number((await primary.sql('select count(*) as n from canary'))[0]?.n)
    const canary = (readUrl: string) =>
      sqlCanary({ kind: 'sql', table: 'canary', everyMs: 100, timeoutMs: 5000, url: primary.url } as never, {
        url: primary.url,
        readUrl,
        run: 'a run',
      })
    const followed = canary(standby.url)
    await followed.prepare(never)
    await followed.write(1)
    await pair.caughtUp()
    expect(await followed.read(never)).toEqual([1])

    // Whoever took over cannot be asked.
    await expect(canary('postgres://postgres@127.0.0.1:1/postgres').clean(never)).rejects.toMatchObject({
      code: 'postgres-unreachable',
    })
    expect(await rows()).toBe(1)
    // It leads, and has no such rows.
    await expect(canary(primary.url.replace(/\/postgres(?=[?]|$)/, '/template1')).clean(never)).rejects.toThrow('canary')
    expect(await rows()).toBe(1)

    await followed.clean(never)
    expect(await rows()).toBe(0)
    await followed[Symbol.asyncDispose]()
  })
})
