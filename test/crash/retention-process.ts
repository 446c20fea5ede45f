import { randomBytes, randomInt } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { backup, forget, prune } from '../../src/backup/index.ts'
import { openRepository } from '../../src/repository/index.ts'
import { createFilesSource } from '../../src/sources/index.ts'
import { openLocalBackend } from '../../src/storage/index.ts'

/**
 * Backups, forgets and prunes one after the other in a process of its own, to be killed: `node retention-process.ts REPOSITORY PASSWORD SOURCE
 * [ROUNDS]`. Says `started VERB` and `ended VERB MS`.
 */
const [location = '', password = '', source = '', rounds = '1000000'] = process.argv.slice(2)
const { signal } = new AbortController()
const say = (line: string) => void process.stdout.write(`${line}\n`)
// Small packs: more instants between which a process can die.
const packBytes = 64 * 1024

await using repository = await openRepository(await openLocalBackend(location), password, undefined, {
  lockTimes: { settleMs: 5, refreshEveryMs: 60_000, lostAfterMs: 120_000 },
})
const verbs = {
  backup: () =>
    backup({ repository, source: createFilesSource({ paths: [source] }), writer: { packBytes, workers: 1 } }, () => {}, signal),
  forget: () => forget({ repository, rules: { counts: { last: 1 }, tags: [['keep']] } }, signal),
  prune: () => prune({ repository, maxUnused: { bytes: 0 }, packBytes }, () => {}, signal),
}
for (let round = 0; round < Number(rounds); round++) {
  for (const verb of ['backup', 'backup', 'forget', 'prune'] as const) {
    if (verb === 'backup')
      for (let file = 0; file < 25; file++)
        if (randomInt(3) === 0) writeFileSync(join(source, `file ${file}`), randomBytes(1000 + file * 2000))
    say(`started ${verb}`)
    const startMs = performance.now()
    await verbs[verb]()
    say(`ended ${verb} ${performance.now() - startMs}`)
  }
}
