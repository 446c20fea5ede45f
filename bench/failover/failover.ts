import { existsSync } from 'node:fs'
import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { runProcess } from '../../src/kernel/index.ts'
import { requirePostgres } from '../../src/postgres/index.ts'
import { installDebian } from '../../test/support/debian.ts'
import { worldTemplate } from '../../test/split-brain/template.ts'
import { until } from '../../test/support/until.ts'
import type { Benchmark, Figure } from '../benchmark.ts'
import { scaled, spreadOf } from '../measure.ts'
import { createCluster, startClients, type Failure } from './cluster.ts'
import { firstLine, type Contender } from './contender.ts'
import { holdfast } from './holdfast.ts'
import { patroni } from './patroni.ts'
import { repmgr } from './repmgr.ts'

const contenders: readonly Contender[] = [holdfast, patroni, repmgr]
const failures: readonly Failure[] = ['killed', 'cut off']
/** Where each one's own cycle stands when the primary fails must be chance. */
const longestCycleMs = 4000

interface Trial {
  readonly contender: Contender
  readonly failure: Failure
}

interface Taken extends Trial {
  readonly restoredMs: number
  readonly phases: Readonly<Record<string, number>>
}

export const failover: Benchmark = {
  name: 'failover',
  about: 'from the failure of the primary’s machine to the first write that a client has acknowledged from the new primary',
  async versions() {
    requirePeers()
    const { stdout } = await runProcess(`${requirePostgres(15).binDir}/postgres`, ['--version'])
    const each = contenders.map(async (one) => `${one.name}: ${await one.version()}; ${one.settings}`)
    return [firstLine(stdout), ...(await Promise.all(each))]
  },
  async measure(rounds) {
    requirePeers()
    await using template = await worldTemplate()
    const taken: Taken[] = []
    for (let round = 0; round < rounds; round++) {
      const trials = contenders.flatMap((contender) => failures.map((failure): Trial => ({ contender, failure })))
      for (const trial of shuffled(trials)) taken.push(await measureOne(template.dataDir, trial))
    }
    return failures.flatMap((failure) =>
      figuresOf(
        failure,
        taken.filter((one) => one.failure === failure),
      ),
    )
  },
}

async function measureOne(template: string, { contender, failure }: Trial): Promise<Taken> {
  await using cluster = await createCluster(template, contender.postgres)
  await contender.begin(cluster)
  startClients(cluster)
  await pause(longestCycleMs + randomInt(longestCycleMs))
  const before = await cluster.firstWrite()
  if (before !== undefined) throw new Error(`${contender.name}: the standby took a write before anything failed`)
  const failedMs = await cluster.fail(failure)
  const atMs = await until(
    `${contender.name}, ${failure}`,
    () => cluster.firstWrite(),
    (at) => at !== undefined,
    120_000,
  )
  const restoredMs = (atMs ?? Number.NaN) - failedMs
  // The last record is a moment behind the first write.
  await pause(500)
  const phases = (await contender.phases?.(cluster, failedMs)) ?? {}
  process.stderr.write(`${contender.name}, ${failure}: ${(restoredMs / 1000).toFixed(1)} s ${JSON.stringify(phases)}\n`)
  return { contender, failure, restoredMs, phases }
}

function figuresOf(failure: Failure, taken: readonly Taken[]): Figure[] {
  const of = (wanted: Contender) => taken.filter(({ contender }) => contender === wanted)
  const seconds = (values: readonly number[]) => scaled(spreadOf(values), 1 / 1000)
  const peers = contenders.filter((one) => one !== holdfast)
  const best = Math.min(...peers.map((one) => seconds(of(one).map(({ restoredMs }) => restoredMs)).median))
  return contenders.flatMap((contender): Figure[] => {
    const own = of(contender)
    const whole: Figure = {
      what: `${failure}: ${contender.name}`,
      unit: 's',
      value: seconds(own.map(({ restoredMs }) => restoredMs)),
      ...(contender === holdfast ? { goal: Number(best.toFixed(2)) } : {}),
    }
    const parts = Object.keys(own[0]?.phases ?? {}).map((phase) => ({
      what: `  of that: ${phase}`,
      unit: 's',
      value: seconds(own.map(({ phases }) => phases[phase] ?? Number.NaN)),
    }))
    return [whole, ...parts]
  })
}

function requirePeers(): void {
  if (process.getuid?.() !== 0) throw new Error('the benchmark failover makes network namespaces: run it as root')
  const missing = () => contenders.flatMap(({ peers }) => peers).filter(({ program }) => !existsSync(program))
  const wanted = missing().map(({ debianPackage }) => debianPackage)
  if (wanted.length > 0) installDebian(wanted, 'the benchmark failover')
  const [lacking] = missing()
  if (lacking !== undefined) throw new Error(`${lacking.program} is missing: install Debian's ${lacking.debianPackage}`)
}

function shuffled<T>(items: readonly T[]): T[] {
  const rest = [...items]
  return Array.from({ length: rest.length }, () => rest.splice(randomInt(rest.length), 1)).flat()
}
