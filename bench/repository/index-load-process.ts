/** Loads the index of a repository: PATH PASSWORD. Prints what it holds and what that takes, then ends. */
import { openRepository } from '../../src/repository/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'

const [path = '', password = ''] = process.argv.slice(2)
await using backend = await openLocalBackend(path)
await using repository = await openRepository(backend, password)
const index = await repository.loadIndex()
console.log(JSON.stringify({ size: index.size, bytes: index.bytes }))
