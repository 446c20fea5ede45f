import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { filesTimes, large, many, mixed, oneFolder, provide, small, type Corpus } from './corpora.ts'
import type { Program } from './programs.ts'
import { timed, type Command, type Took } from './timed.ts'

/** One thing that programs are asked to do. */
export interface Case {
  readonly name: string
  readonly corpus: Corpus
  /** At least so many times as fast as restic, by the clock and by processor time. */
  readonly goals: { readonly wall?: number; readonly cpu?: number }
  /** Made once for a program, before any round; undefined when it cannot do this. */
  prepare(program: Program, place: Place): ((round: number) => Command) | undefined
}

/** Where a program works. `source` is the corpus. */
export interface Place {
  readonly folder: string
  readonly source: string
}

function backingUp(name: string, corpus: Corpus, goals: Case['goals']): Case {
  return {
    name,
    corpus,
    goals,
    prepare:
      (program, { folder, source }) =>
      (round) => {
        const repository = join(folder, `repository-${round}`)
        timed(program.init(repository), folder)
        return program.backup(repository, source)
      },
  }
}

const unchanged: Case = {
  name: 'no-change backup',
  corpus: many,
  goals: { wall: 3 },
  prepare(program, place) {
    const repository = filled(program, place)
    return () => program.backup(repository, place.source)
  },
}

function restoring(name: string, corpus: Corpus, goals: Case['goals'] = { wall: 1.2 }): Case {
  return {
    name,
    corpus,
    goals,
    prepare(program, place) {
      const repository = filled(program, place)
      return (round) => {
        // Deleted at the end of all rounds: the next one would pay for it.
        const target = join(place.folder, `target-${round}`)
        mkdirSync(target)
        return program.restore(repository, target)
      }
    },
  }
}

const check: Case = {
  name: 'check --read-data',
  corpus: mixed,
  goals: { wall: 1.3 },
  prepare(program, place) {
    const repository = filled(program, place)
    return () => program.check(repository)
  },
}

/** Two thirds of what is stored is not used any more, some of it in packs with what is. */
const prune: Case = {
  name: 'prune',
  corpus: mixed,
  goals: { wall: 1.2 },
  prepare(program, place) {
    if (program.forgetAllButLast === undefined || program.prune === undefined) return undefined
    const { prune } = program
    const repository = filled(program, place)
    timed(program.backup(repository, join(place.source, 'texts')), place.folder)
    timed(program.forgetAllButLast(repository), place.folder)
    return (round) => {
      const copy = `${repository}-${round}`
      cpSync(repository, copy, { recursive: true, preserveTimestamps: true })
      return prune(copy)
    }
  },
}

export const cases: readonly Case[] = [
  backingUp('first backup', mixed, { wall: 1.6, cpu: 1.3 }),
  unchanged,
  restoring('restore of one large file', large),
  restoring('restore of many small files', small),
  check,
  prune,
]

/** The same with more of it, and all of it in one folder: neither time nor memory may grow faster. */
export const growing: readonly Case[] = [...[1, 4, 16].map((times) => filesTimes(times)), oneFolder].flatMap((corpus) => [
  backingUp(`first backup of ${corpus.name}`, corpus, {}),
  restoring(`restore of ${corpus.name}`, corpus, {}),
])

export interface Round {
  readonly program: Program
  readonly took: Took
}

/** Every program as often as asked, in an order that chance decides anew for each round, with a warm corpus and a clean disk cache of writes. */
export function play(one: Case, programs: readonly Program[], { folder, corpora, rounds }: Playground): Round[] {
  const source = provide(one.corpus, corpora)
  const here = join(folder, one.name.replaceAll(' ', '-'))
  const commands = programs.flatMap((program) => {
    const place = { folder: join(here, program.name), source }
    mkdirSync(place.folder, { recursive: true })
    const command = one.prepare(program, place)
    return command === undefined ? [] : [{ program, place, command }]
  })
  const played: Round[] = []
  for (let round = 0; round < rounds; round++) {
    for (const { program, place, command } of shuffled(commands)) {
      const next = command(round)
      warm(source, place.folder)
      played.push({ program, took: timed(next, place.folder) })
    }
  }
  rmSync(here, { recursive: true })
  return played
}

export interface Playground {
  readonly folder: string
  readonly corpora: string
  readonly rounds: number
}

function filled(program: Program, { folder, source }: Place): string {
  const repository = join(folder, 'repository')
  timed(program.init(repository), folder)
  timed(program.backup(repository, source), folder)
  if (readdirSync(repository).length === 0) throw new Error(`${program.name} wrote no repository`)
  return repository
}

function warm(source: string, folder: string): void {
  timed({ argv: ['sh', '-c', 'sync; exec find "$0" -type f -exec cat {} + > /dev/null', source] }, folder)
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
