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
import { testProgram } from '../support/program.ts'

const { signal } = new AbortController()
const program = testProgram('crash/retention-process')
const all = ['backup', 'forget', 'prune', 'copy'] as const
type Verb = (typeof all)[number]
/** RETENTION_VERBS=copy kills only that. */
const verbs = all.filter((verb) => (process.env.RETENTION_VERBS ?? all.join()).split(',').includes(verb))
/** See CONTRIBUTING.md. The seed makes the moments, the machine what happens at them. */
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

interface World {
  readonly shared: SharedRepository
  /** What is copied to. */
  readonly other: SharedRepository
  readonly source: string
}

function start({ shared, other, source }: World, ...more: string[]) {
  const args = [program, shared.path, other.path, testPassword, source, ...more]
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** How long each takes on this machine, undisturbed. */
async function measure(world: World): Promise<Record<Verb, number>> {
  const took: Record<Verb, number[]> = { backup: [], forget: [], prune: [], copy: [] }
  for await (const line of createInterface({ input: start(world, '3').stdout })) {
    const [, verb, ms] = /^ended (\w+) ([\d.]+)/.exec(line) ?? []
    if (verb !== undefined) took[verb as Verb].push(Number(ms))
  }
  const longest = (verb: Verb) => Math.max(...took[verb])
  return { backup: longest('backup'), forget: longest('forget'), prune: longest('prune'), copy: longest('copy') }
}

/** Kills the process so long after the verb began. True when it was still at work at it. */
async function killAt(world: World, wanted: Verb, afterMs: number): Promise<boolean> {
  const child = start(world)
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

describeWith('restic', 'backup, copy, forget and prune that are killed', (restic) => {
  test(`lose nothing that a snapshot needs, ${kills} times at random moments`, { timeout: 60_000 + kills * 20_000 }, async () => {
    using shared = sharedRepository(restic)
    using other = sharedRepository(restic)
    await (await other.create())[Symbol.asyncDispose]()
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
    const world = { shared, other, source }
    const typical = await measure(world)
    const within = { ...typical }
    const next = random(seed)
    const atWork: Record<Verb, number> = { backup: 0, forget: 0, prune: 0, copy: 0 }
    for (let round = 0; round < kills; round++) {
      const verb = verbs[round % verbs.length] ?? 'prune'
      const hit = await killAt(world, verb, next() * within[verb])
      if (hit) atWork[verb]++
      // It may take less than it did when nothing was ready: kills that come too late show nothing.
      within[verb] *= hit ? 1.2 : 0.6
      for (const each of [shared, other]) {
        await using repository = await each.open()
        const [report] = await Promise.all([
          checkRepository({ repository, noLock: true }, () => {}, signal),
          each.restic(['check', '--no-lock']),
        ])
        const where = `seed ${seed}, round ${round}, ${verb}, ${each === other ? 'the copy' : 'the first'}`
        // Before the first copy there is nothing in the other one.
        const errors = report.findings.filter(({ severity, code }) => severity === 'error' && code !== 'nothing-checked')
        expect(errors, where).toEqual([])
        // Only the dead process's lock: a stale one is all that may stand in the way of the next.
        expect((await repository.unlock()).length, where).toBeLessThanOrEqual(1)
      }
    }
    console.log(
      `seed ${seed}: killed ${kills} times, at work at ${JSON.stringify(atWork)}; usual times ${JSON.stringify(typical)} ms`,
    )
    // The kills met all of them at work, or this test shows nothing.
    for (const verb of verbs) expect(atWork[verb], verb).toBeGreaterThan(0)

    const content = (folder: string) => describeTree(folder).map(({ path, content }) => ({ path, content }))
    expect(readdirSync(kept)).toHaveLength(25)
    for (const each of [shared, other]) {
      await using repository = await each.open()
      expect(await prune({ repository, maxUnused: { bytes: 0 } }, () => {}, signal)).toMatchObject({ unusedAfterBytes: 0 })
      await each.check()
      const snapshot = await repository.findSnapshot('latest', { tags: ['keep'] })
      const target = join(each.folder, 'back')
      await restoreSnapshot({ repository, snapshot, target, subtree: source }, () => {}, signal)
      expect(content(target)).toEqual(content(kept))
    }
  })
})
