/** `npm run bench -- NAME… [--rounds N]`: measures, and prints tables that can be put beside those of another machine. */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bundle } from '../scripts/bundle.ts'
import { isBundleFresh } from '../scripts/source-state.ts'
import { table } from '../src/cli/output/table.ts'
import type { Benchmark, Figure } from './benchmark.ts'
import { chaos } from './chaos/chaos.ts'
import { failover } from './failover/failover.ts'
import { ledger } from './ledger/ledger.ts'
import { machineLines } from './machine.ts'
import { indexLoad } from './repository/index-load.ts'
import { growth, repository } from './repository/repository.ts'
import { runs } from './runs.ts'

const benchmarks: readonly Benchmark[] = [runs, repository, growth, indexLoad, failover, chaos, ledger]

const { positionals, values } = parseArgs({ allowPositionals: true, options: { rounds: { type: 'string', default: '5' } } })
const unknown = positionals.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name))
if (unknown.length > 0 || !/^[1-9]\d{0,3}$/.test(values.rounds)) {
  console.error(`usage: npm run bench -- [${benchmarks.map(({ name }) => name).join('|')}]… [--rounds N]`)
  process.exit(2)
}
// As it is installed: what starts a worker starts it from there.
if (!isBundleFresh()) await bundle()
process.env.HOLDFAST_BUNDLE = fileURLToPath(new URL('../dist/', import.meta.url))
console.log(machineLines().join('\n'))
for (const benchmark of benchmarks) {
  if (positionals.length > 0 && !positionals.includes(benchmark.name)) continue
  for (const line of (await benchmark.versions?.()) ?? []) console.log(line)
  const figures = await benchmark.measure(Number(values.rounds))
  console.log(`\n${benchmark.name}: ${benchmark.about}\n\n${figuresText(figures)}`)
}

function figuresText(figures: readonly Figure[]): string {
  return table(
    [
      { title: 'what', value: ({ what }) => what },
      { title: 'median', align: 'right', value: ({ value }) => number(value.median) },
      { title: 'least', align: 'right', value: ({ value }) => number(value.least) },
      { title: 'most', align: 'right', value: ({ value }) => number(value.most) },
      { title: 'unit', value: ({ unit }) => unit },
      { title: 'n', align: 'right', value: ({ value }) => String(value.times) },
      {
        title: 'goal',
        value: ({ goal, atLeast, value }) => {
          if (goal !== undefined) return `≤ ${goal}: ${value.median <= goal ? 'met' : 'MISSED'}`
          return atLeast === undefined ? '' : `≥ ${atLeast}: ${value.median >= atLeast ? 'met' : 'MISSED'}`
        },
      },
    ],
    figures,
  )
}

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(3)
}
