import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openLedger, type LedgerRecord } from '../../src/ledger/index.ts'
import { openLocalBackend, type SealedArea } from '../../src/storage/index.ts'
import { plainArea } from '../support/area.ts'
import { backupBody } from '../support/evidence.ts'
import { temporaryFolder } from '../support/holdfast.ts'
import { smallDisk } from '../support/small-disk.ts'

const filler = new URL('../support/fill-ledger-cache.ts', import.meta.url).pathname

/** What SQLite has written and not yet put into the file itself. */
function walSize(cacheFile: string): number {
  return statSync(`${cacheFile}-wal`, { throwIfNoEntry: false })?.size ?? 0
}

/** Several of the transactions that a cache is filled in. */
const count = 4500

describe('the cache of a ledger is never the truth', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let area: SealedArea
  let sound: string[]
  const texts = async (options: Parameters<typeof openLedger>[1] = {}) =>
    (await Array.fromAsync(openLedger(area, options).records())).map(({ canonical }: LedgerRecord) => canonical)

  beforeAll(async () => {
    folder = await temporaryFolder('ledger-cache')
    const memory = plainArea()
    const ledger = openLedger(memory)
    for (let index = 0; index < count; index++) await ledger.append('backup', backupBody(`${index}`))
    area = plainArea(await openLocalBackend(join(folder.path, 'repository')))
    for await (const { name } of memory.list('')) await area.put(name, await memory.get(name))
    sound = await texts()
  })
  afterAll(() => folder[Symbol.asyncDispose]())

  test('whoever fills it is killed at any moment: the next reader gives all that is in the repository', async () => {
    expect(sound).toHaveLength(count)
    const cacheFile = join(folder.path, 'cache', 'killed.sqlite')
    const sizes = new Set<number>()
    for (let kill = 0; kill < 5; kill++) {
      const child = spawn(process.execPath, [filler, join(folder.path, 'repository'), cacheFile], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await once(child.stdout, 'data')
      // Each time when more of it is written.
      while (walSize(cacheFile) < kill * 200_000) await sleep(1)
      child.kill('SIGKILL')
      expect(await once(child, 'close')).toEqual([null, 'SIGKILL'])
      sizes.add(walSize(cacheFile))
      expect(await texts({ cacheFile })).toEqual(sound)
      expect(await openLedger(area, { cacheFile }).ask(({ count: records }) => records)).toBe(count)
    }
    // Not each time at the same moment, nor before anything was written.
    expect(sizes.size).toBeGreaterThan(2)
  })

  test('where there is no space for it, the repository is read', async ({ skip }) => {
    using disk = smallDisk(1)
    skip(disk === undefined, 'only root may mount a small file system')
    if (disk === undefined) return
    const cacheFile = join(disk.path, 'cache.sqlite')
    expect(await texts({ cacheFile })).toEqual(sound)
    disk.grow(50)
    expect(await texts({ cacheFile })).toEqual(sound)
    expect(statSync(cacheFile).size).toBeGreaterThan(count * 400)
  })
})
