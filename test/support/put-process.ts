import { openLocalBackend } from '../../src/storage/index.ts'

/** Writes packs to a repository for ever, to be killed: `node put-process.ts REPOSITORY`. */
const backend = await openLocalBackend(process.argv[2] ?? '')
const pieces = Array.from({ length: 2000 }, (_, at) => Buffer.alloc(4096, at))
for (let pack = 0; ; pack++) await backend.put('data', pack.toString(16).padStart(64, '0'), pieces)
