import { rmSync } from 'node:fs'
import { openLedger } from '../../src/ledger/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'
import { plainArea } from './area.ts'

/** A process of its own that fills the cache of a ledger, and then anew, until it is killed: LOCATION CACHE-FILE. */
const [location = '', cacheFile = ''] = process.argv.slice(2)
const area = plainArea(await openLocalBackend(location))
for (;;) {
  process.stdout.write('filling\n')
  await openLedger(area, { cacheFile }).ask(({ count }) => count)
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${cacheFile}${suffix}`, { force: true })
}
