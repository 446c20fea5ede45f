import { restoreSnapshot } from '../../src/backup/index.ts'
import { openRepository } from '../../src/repository/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'

/** Restores the newest snapshot over what is there, to be killed: `node restore-process.ts REPOSITORY PASSWORD TARGET`. Says when it begins. */
const [location = '', password = '', target = ''] = process.argv.slice(2)
const { signal } = new AbortController()
await using repository = await openRepository(await openLocalBackend(location), password)
const snapshot = await repository.findSnapshot('latest')
process.stdout.write('started\n')
await restoreSnapshot({ repository, snapshot, target, overwrite: true, noLock: true, threads: 2 }, () => {}, signal)
