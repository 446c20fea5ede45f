import { spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { backup, checkRepository, prune, restoreSnapshot } from '../../src/backup/index.ts'
import { createFilesSource } from '../../src/sources/index.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository, testPassword, type SharedRepository } from '../support/restic.ts'
import { describeTree } from '../support/sample-tree.ts'

const { signal } = new AbortController()
const program = new URL('./retention-process.ts', import.meta.url).pathname
const verbs = ['backup', 'forget', 'prune'] as const
type Verb = (typeof verbs)[number]
/** RETENTION_KILLS=200 is what it was accepted with. The seed makes the moments, the machine what happens at them. */
const kills = Number(process.env.RETENTION_KILLS ?? 24)
const seed = Number(process.env.RETENTION_SEED ?? randomInt(2 ** 31))

/** mulberry32. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function start(shared: SharedRepository, source: string, ...more: string[]) {
  const args = [program, shared.path, testPassword, source, ...more]
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** How long each takes on this machine, undisturbed. */
async function measure(shared: SharedRepository, source: string): Promise<Record<Verb, number>> {
  const took: Record<Verb, number[]> = { backup: [], forget: [], prune: [] }
  for await (const line of createInterface({ input: start(shared, source, '3').stdout })) {
    const [, verb, ms] = /^ended (\w+) ([\d.]+)/.exec(line) ?? []
    if (verb !== undefined) took[verb as Verb].push(Number(ms))
  }
  return { backup: Math.max(...took.backup), forget: Math.max(...took.forget), prune: Math.max(...took.prune) }
}

/** Kills the process so long after the verb began. True when it was still at work at it. */
async function killAt(shared: SharedRepository, source: string, wanted: Verb, afterMs: number): Promise<boolean> {
  const child = start(shared, source)
  const closed = new Promise((resolve) => child.once('close', resolve))
  let under: string | undefined
  let timer: NodeJS.Timeout | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    const [event, verb] = line.split(' ')
    under = event === 'started' ? verb : undefined
    if (verb === wanted && event === 'started') timer ??= setTimeout(() => child.kill('SIGKILL'), afterMs)
  }
  await closed
  return under === wanted
}

describeWith('restic', 'backup, forget and prune that are killed', (restic) => {
  test(`lose nothing that a snapshot needs, ${kills} times at random moments`, { timeout: 60_000 + kills * 20_000 }, async () => {
    using shared = sharedRepository(restic)
    const source = join(shared.folder, 'source')
    mkdirSync(source)
    for (let file = 0; file < 25; file++) writeFileSync(join(source, `file ${file}`), randomBytes(1000 + file * 2000))
    const kept = join(shared.folder, 'kept')
    cpSync(source, kept, { recursive: true, preserveTimestamps: true })
    {
      await using repository = await shared.create()
      const files = createFilesSource({ paths: [source] })
      await backup({ repository, source: files, tags: ['keep'], writer: { packBytes: 64 * 1024 } }, () => {}, signal)
    }
    const typical = await measure(shared, source)
    const next = random(seed)
    const atWork: Record<Verb, number> = { backup: 0, forget: 0, prune: 0 }
    for (let round = 0; round < kills; round++) {
      const verb = verbs[round % verbs.length] ?? 'prune'
      const hit = await killAt(shared, source, verb, next() * typical[verb])
      if (hit) atWork[verb]++
      await using repository = await shared.open()
      const [report] = await Promise.all([
        checkRepository({ repository, noLock: true }, () => {}, signal),
        shared.restic(['check', '--no-lock']),
      ])
      const where = `seed ${seed}, round ${round}, ${verb}`
      expect(
        report.findings.filter(({ severity }) => severity === 'error'),
        where,
      ).toEqual([])
      // Only the dead process's lock: a stale one is all that may stand in the way of the next.
      expect((await repository.unlock()).length, where).toBeLessThanOrEqual(1)
    }
    console.log(
      `seed ${seed}: killed ${kills} times, at work at ${JSON.stringify(atWork)}; usual times ${JSON.stringify(typical)} ms`,
    )
    // The kills met all of them at work, or this test shows nothing.
    for (const verb of verbs) expect(atWork[verb], verb).toBeGreaterThan(0)

    await using repository = await shared.open()
    expect(await prune({ repository, maxUnused: { bytes: 0 } }, () => {}, signal)).toMatchObject({ unusedAfterBytes: 0 })
    await shared.check()
    const snapshot = await repository.findSnapshot('latest', { tags: ['keep'] })
    const target = join(shared.folder, 'back')
    await restoreSnapshot({ repository, snapshot, target, subtree: source }, () => {}, signal)
    const names = readdirSync(kept)
    const content = (folder: string) => describeTree(folder).map(({ path, content }) => ({ path, content }))
    expect(names).toHaveLength(25)
    expect(content(target)).toEqual(content(kept))
  })
})
