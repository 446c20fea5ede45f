import { randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { backup, forget, prune, repairIndex, repairPacks, repairSnapshots } from '../../src/backup/index.ts'
import { HoldfastError } from '../../src/kernel/index.ts'
import { openRepository, type Repository } from '../../src/repository/index.ts'
import { createFilesSource } from '../../src/sources/index.ts'
import { faulty, openLocalBackend, type FaultRule } from '../../src/storage/index.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository, testPassword, type SharedRepository } from '../support/restic.ts'

const { signal } = new AbortController()
const lockTimes = { settleMs: 1, refreshEveryMs: 60_000, lostAfterMs: 120_000 }
const packBytes = 256 * 1024

interface Case {
  /** Makes the repository what it is before each try. */
  readonly prepare: (shared: SharedRepository, repository: Repository) => Promise<void> | void
  readonly run: (repository: Repository, shared: SharedRepository) => Promise<unknown>
  /** What is damaged stays so until the verb has done its work. */
  readonly damaged?: true
}

function backUp(repository: Repository, { folder }: SharedRepository) {
  const source = createFilesSource({ paths: [join(folder, 'source')] })
  return backup({ repository, source, writer: { packBytes, workers: 1 } }, () => {}, signal)
}

function writeFiles({ folder }: SharedRepository, round: number): void {
  mkdirSync(join(folder, 'source'), { recursive: true })
  for (let file = 0; file < 8; file++)
    if (round === 0 || file % 3 === round) writeFileSync(join(folder, 'source', `file ${file}`), randomBytes(60_000))
}

function names(shared: SharedRepository, kind: 'index' | 'data'): string[] {
  return readdirSync(join(shared.path, kind), { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  )
}

/** A pack that holds content. */
async function contentPack(repository: Repository): Promise<string> {
  const index = await repository.loadIndex()
  const place = [...index.entries()].find(({ type }) => type === 'data')
  return place?.pack ?? ''
}

const cases: Readonly<Record<string, Case>> = {
  backup: {
    prepare: (shared) => writeFiles(shared, 2),
    run: backUp,
  },
  forget: {
    prepare: () => {},
    run: (repository) => forget({ repository, rules: { counts: { last: 1 } } }, signal),
  },
  prune: {
    prepare: async (_shared, repository) => void (await forget({ repository, rules: { counts: { last: 1 } } }, signal)),
    run: (repository) => prune({ repository, maxUnused: { bytes: 0 }, packBytes }, () => {}, signal),
  },
  'repair index': {
    prepare: (shared) => names(shared, 'index').forEach((path) => unlinkSync(path)),
    run: (repository) => repairIndex({ repository, readAllPacks: true }, () => {}, signal),
    damaged: true,
  },
  'repair packs': {
    prepare: () => {},
    run: async (repository, shared) =>
      repairPacks({ repository, packs: [await contentPack(repository)], copiesTo: shared.folder }, () => {}, signal),
  },
  'repair snapshots': {
    prepare: async (shared, repository) => {
      const pack = await contentPack(repository)
      rmSync(join(shared.path, 'data', pack.slice(0, 2), pack), { force: true })
      await repairIndex({ repository }, () => {}, signal)
    },
    run: (repository) => repairSnapshots({ repository, forget: true }, () => {}, signal),
    damaged: true,
  },
}

const diskFull = new HoldfastError('disk-full', { message: 'no space left, by script' })
const faults: readonly Pick<FaultRule, 'on' | 'fault'>[] = [
  { on: 'put', fault: { type: 'crash', at: 'after' } },
  { on: 'put', fault: { type: 'error', error: diskFull } },
  { on: 'delete', fault: { type: 'crash', at: 'after' } },
]

async function opened(shared: SharedRepository, script: readonly FaultRule[] = []): Promise<Repository> {
  return openRepository(faulty(await openLocalBackend(shared.path), script), testPassword, undefined, { lockTimes })
}

describeWith('restic', 'a storage that fails', (restic) => {
  test.each(Object.entries(cases))(
    'at any write of %s leaves what restic finds whole, and the verb can be run again',
    { timeout: 600_000 },
    async (_verb, { prepare, run, damaged }) => {
      using shared = sharedRepository(restic)
      {
        await using repository = await shared.create()
        for (const round of [0, 1]) {
          writeFiles(shared, round)
          await backUp(repository, shared)
        }
        await prepare(shared, await opened(shared))
      }
      const pristine = join(shared.folder, 'pristine')
      cpSync(shared.path, pristine, { recursive: true })
      let struck = 0
      for (const { on, fault } of faults) {
        for (let nth = 1; ; nth++) {
          rmSync(shared.path, { recursive: true })
          cpSync(pristine, shared.path, { recursive: true })
          const ended = await run(await opened(shared, [{ on, nth, fault }]), shared).then(
            () => 'done',
            ({ code }: HoldfastError) => code,
          )
          if (damaged === undefined) await shared.restic(['check', '--no-lock'])
          const healthy = await opened(shared)
          await healthy.unlock({ all: true })
          expect(['done', fault.type === 'error' ? 'disk-full' : 'storage-failed']).toContain(ended)
          if (ended !== 'done') await run(healthy, shared)
          await shared.check()
          if (ended === 'done') break
          struck++
        }
      }
      expect(struck).toBeGreaterThan(3)
    },
  )
})
