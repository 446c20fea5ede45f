import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Benchmark, Figure } from '../benchmark.ts'
import { spreadOf } from '../measure.ts'
import { timed, type Command, type Took } from '../repository/timed.ts'
import { makeLedger, services } from './make-ledger.ts'

const program = fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url))
const goals = { seconds: 1, peakMiB: 300 / 1.048576 }

/** What is asked of a catalog with a ledger: whole commands, of which those that need no ledger come first. */
const questions = [
  'graph --json',
  'strategy recommend --all --json',
  'status --json',
  'status s500 --json',
  'doctor --json',
  'checklist --json',
] as const

/**
 * Questions about 1,000 services with 5,000 dependencies and a ledger of 1,000,000 records: `status` from nothing, and each with what is kept of it, and the report
 * of a month. HOLDFAST_BENCH_FOLDER: where to work; what was made there is used again. HOLDFAST_BENCH_RECORDS: another size.
 */
export const ledger: Benchmark = {
  name: 'ledger',
  about: `${services.toLocaleString('en')} services, 5,000 dependencies, 3,000 snapshots and a large ledger; needs GNU time`,
  async measure(rounds) {
    const records = Number(process.env.HOLDFAST_BENCH_RECORDS ?? 1_000_000)
    const folder = join(process.env.HOLDFAST_BENCH_FOLDER ?? tmpdir(), `ledger-${records}`)
    if (!existsSync(join(folder, 'made'))) {
      rmSync(folder, { recursive: true, force: true })
      await makeLedger(folder, records)
      writeFileSync(join(folder, 'made'), '')
    }
    rmSync(join(folder, '.holdfast', 'cache'), { recursive: true, force: true })
    const asked = (question: string): Command => ({
      // It ends with 0, or with 4: objectives are at risk or unknown. That it looked at all records is asked once, below.
      argv: [
        'sh',
        '-c',
        `${process.execPath} ${program} ${question} > ${folder}/answer.json; case $? in 0 | 4) ;; *) exit 1 ;; esac`,
      ],
      cwd: folder,
    })
    const first = timed(asked('status --json'), folder)
    const { repositories } = JSON.parse(readFileSync(join(folder, 'answer.json'), 'utf8')) as {
      readonly repositories: readonly { readonly ledgerRecords?: number }[]
    }
    if (repositories[0]?.ledgerRecords !== records) throw new Error(`status looked at ${repositories[0]?.ledgerRecords} records`)
    const month = new Date(Date.now() - 30 * 24 * 3600 * 1000).toISOString().slice(0, 10)
    const again = (question: string) => Array.from({ length: rounds }, () => timed(asked(question), folder))
    return [
      ...figures('status, first time', [first], {}),
      ...questions.flatMap((question) => figures(question, again(question), goals)),
      ...figures('report of 30 days', again(`report --from ${month} --format json`), {}),
      cacheSize(folder),
    ]
  },
}

function figures(what: string, took: readonly Took[], { seconds, peakMiB }: Partial<typeof goals>): Figure[] {
  const spread = (of: (one: Took) => number) => spreadOf(took.map(of))
  return [
    {
      what: `${what}: time`,
      unit: 's',
      value: spread(({ wallSeconds }) => wallSeconds),
      ...(seconds !== undefined && { goal: seconds }),
    },
    { what: `${what}: processor time`, unit: 's', value: spread(({ cpuSeconds }) => cpuSeconds) },
    {
      what: `${what}: peak memory`,
      unit: 'MiB',
      value: spread((one) => one.peakMiB),
      ...(peakMiB !== undefined && { goal: Math.round(peakMiB) }),
    },
  ]
}

function cacheSize(folder: string): Figure {
  const cache = join(folder, '.holdfast', 'cache')
  const name = readdirSync(cache).find((each) => each.endsWith('.sqlite')) ?? ''
  return { what: 'cache of the ledger', unit: 'MiB', value: spreadOf([statSync(join(cache, name)).size / 2 ** 20]) }
}
