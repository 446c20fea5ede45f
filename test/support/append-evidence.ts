import { readFile } from 'node:fs/promises'
import { openRepository } from '../../src/repository/index.ts'
import { recordEvidence } from '../../src/service/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'
import { backupBody } from './evidence.ts'

/** A process of its own that appends COUNT records, one after the other: REPOSITORY PASSWORD-FILE NAME COUNT. Prints each place it got. */
const [location = '', passwordFile = '', name = '', count = '0'] = process.argv.slice(2)
await using repository = await openRepository(await openLocalBackend(location), await readFile(passwordFile, 'utf8'))
for (let index = 1; index <= Number(count); index++) {
  const { seq } = await recordEvidence(repository, 'backup', backupBody(`${name}-${index}`))
  process.stdout.write(`${seq}\n`)
}
