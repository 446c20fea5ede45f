import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Benchmark, Figure } from '../benchmark.ts'
import { spreadOf, type Spread } from '../measure.ts'
import { cases, growing, play, type Case, type Round } from './cases.ts'
import { installedPrograms, type Program } from './programs.ts'
import type { Took } from './timed.ts'

/**
 * The engine beside restic and borg, where they are installed. HOLDFAST_BENCH_FOLDER: where to work, and where corpora of an earlier run
 * are; HOLDFAST_BENCH_CASES: only those whose name has this in it; RESTIC: which restic.
 */
export const repository = wholeCommands(
  'repository',
  'whole commands beside those of other programs, the same corpora, in random order',
  cases,
)

export const growth = wholeCommands(
  'growth',
  'the same with 4 and 16 times as many files, and with a million in one folder',
  growing,
)

function wholeCommands(name: string, about: string, all: readonly Case[]): Benchmark {
  return {
    name,
    about,
    async measure(rounds) {
      const given = process.env.HOLDFAST_BENCH_FOLDER
      const base = given ?? mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
      const folder = join(base, 'work')
      rmSync(folder, { recursive: true, force: true })
      mkdirSync(folder, { recursive: true })
      try {
        const programs = installedPrograms(folder)
        const wanted = all.filter((one) => one.name.includes(process.env.HOLDFAST_BENCH_CASES ?? ''))
        return wanted.flatMap((one) => figuresOf(one, programs, play(one, programs, { folder, corpora: base, rounds })))
      } finally {
        rmSync(given === undefined ? base : folder, { recursive: true, force: true })
      }
    },
  }
}

function figuresOf(one: Case, programs: readonly Program[], rounds: readonly Round[]): Figure[] {
  const spread = (program: Program, of: (took: Took) => number): Spread | undefined => {
    const values = rounds.filter((round) => round.program === program).map(({ took }) => of(took))
    return values.length === 0 ? undefined : spreadOf(values)
  }
  const figures: Figure[] = []
  for (const program of programs) {
    const add = (what: string, unit: string, value: Spread | undefined, goal?: number) => {
      if (value !== undefined)
        figures.push({
          what: `${one.name}: ${program.name} ${program.version}, ${what}`,
          unit,
          value,
          ...(goal !== undefined && { goal }),
        })
    }
    add(
      'time',
      's',
      spread(program, ({ wallSeconds }) => wallSeconds),
    )
    add(
      'processor time',
      's',
      spread(program, ({ cpuSeconds }) => cpuSeconds),
    )
    add(
      'peak memory',
      'MiB',
      spread(program, ({ peakMiB }) => peakMiB),
      program.name === 'holdfast' ? 400 : undefined,
    )
  }
  const [ours, restic] = ['holdfast', 'restic'].map((name) => programs.find((program) => program.name === name))
  if (ours === undefined || restic === undefined) return figures
  const ratio = (what: string, of: (took: Took) => number, atLeast: number | undefined) => {
    const [a, b] = [spread(ours, of), spread(restic, of)]
    if (a === undefined || b === undefined) return
    const value = { median: b.median / a.median, least: b.least / a.most, most: b.most / a.least, times: a.times }
    figures.push({ what: `${one.name}: restic’s ${what} ÷ ours`, unit: '×', value, ...(atLeast !== undefined && { atLeast }) })
  }
  ratio('time', ({ wallSeconds }) => wallSeconds, one.goals.wall)
  ratio('processor time', ({ cpuSeconds }) => cpuSeconds, one.goals.cpu)
  return figures
}
