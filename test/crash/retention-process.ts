import { randomBytes, randomInt } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { backup, copySnapshots, forget, prune } from '../../src/backup/index.ts'
import { openRepository } from '../../src/repository/index.ts'
import { createFilesSource } from '../../src/sources/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'

/**
 * Backups, copies to another repository, forgets and prunes one after the other in a process of its own, to be killed:
 * `node retention-process.ts REPOSITORY OTHER PASSWORD SOURCE [ROUNDS]`. Forgets and prunes are of either repository by turns. Says `started VERB` and `ended VERB MS`.
 */
const [location = '', other = '', password = '', source = '', rounds = '1000000'] = process.argv.slice(2)
const { signal } = new AbortController()
const say = (line: string) => void process.stdout.write(`${line}\n`)
// Small packs: more instants between which a process can die.
const packBytes = 64 * 1024

const lockTimes = { settleMs: 5, refreshEveryMs: 60_000, lostAfterMs: 120_000 }
const opened = async (path: string) => openRepository(await openLocalBackend(path), password, undefined, { lockTimes })
await using repository = await opened(location)
await using destination = await opened(other)
let tended = repository
const verbs = {
  backup: () =>
    backup({ repository, source: createFilesSource({ paths: [source] }), writer: { packBytes, workers: 1 } }, () => {}, signal),
  copy: async () => {
    const snapshots = await repository.snapshots(signal)
    return copySnapshots({ from: repository, to: destination, snapshots, copier: { packBytes, workers: 1 } }, () => {}, signal)
  },
  forget: () => forget({ repository: tended, rules: { counts: { last: 1 }, tags: [['keep']] } }, signal),
  prune: () => prune({ repository: tended, maxUnused: { bytes: 0 }, packBytes }, () => {}, signal),
}
for (let round = 0; round < Number(rounds); round++) {
  tended = randomInt(2) === 0 ? repository : destination
  for (const verb of ['backup', 'copy', 'backup', 'forget', 'prune'] as const) {
    if (verb === 'backup')
      for (let file = 0; file < 25; file++)
        if (randomInt(3) === 0) writeFileSync(join(source, `file ${file}`), randomBytes(1000 + file * 2000))
    say(`started ${verb}`)
    const startMs = performance.now()
    await verbs[verb]()
    say(`ended ${verb} ${performance.now() - startMs}`)
  }
}
