import { parseDuration } from '../kernel/index.ts'
import { buildSecret } from './build-secret.ts'
import type { Canary, Experiment, ExperimentDrill } from './experiment.ts'
import type { HypothesisProbe, Measure, SampleTolerance, Tolerance } from './hypothesis.ts'
import { durationOf, present } from './present.ts'
import type { CatalogFile } from './schema.ts'

type FileExperiment = CatalogFile['experiments'][string]
type FileCanary = NonNullable<FileExperiment['canary']>
type FileProbe = FileExperiment['abort'][number]
type FileTolerance = NonNullable<FileProbe['expect']>

export function buildExperiment(entry: FileExperiment, name: string, directory: string): Experiment {
  const { hypothesis, faults, recoversWithin, abort, limit, blastRadius, drill, canary, windows, ...rest } = entry
  const probe = (each: FileProbe) => buildProbe(each, directory)
  return present({
    ...rest,
    name,
    hypothesis: {
      title: hypothesis.title,
      everyMs: parseDuration(hypothesis.every),
      beforeMs: parseDuration(hypothesis.before),
      afterMs: parseDuration(hypothesis.after),
      probes: hypothesis.probes.map(probe),
    },
    faults: faults.map(({ inject, for: held, repeat }) => {
      // Its schema allows exactly one.
      const [call] = Object.entries(inject)
      const [kind, params] = call ?? ['', {}]
      return { kind, params: params ?? {}, forMs: parseDuration(held), ...repeated(repeat) }
    }),
    drill: drill === undefined ? undefined : buildDrilled(drill),
    canary: canary === undefined ? undefined : buildCanary(canary, directory),
    windows: windows?.map(present),
    recoversWithinMs: durationOf(recoversWithin),
    abort: abort.map(probe),
    limitMs: parseDuration(limit),
    blastRadius: present(blastRadius ?? {}),
  })
}

function repeated(repeat: FileExperiment['faults'][number]['repeat']) {
  return repeat === undefined ? {} : { repeat: { times: repeat.times, everyMs: parseDuration(repeat.every) } }
}

/** What stands for a plan's name alone. */
const usualDetection = { by: 'hypothesis', for: '3s', within: '5m' } as const

function buildDrilled(drill: NonNullable<FileExperiment['drill']>): ExperimentDrill {
  const { plan, detection } = typeof drill === 'string' ? { plan: drill, detection: usualDetection } : drill
  return {
    plan,
    detection: { by: detection.by, forMs: parseDuration(detection.for), withinMs: parseDuration(detection.within) },
  }
}

function buildCanary(
  { url, readUrl = url, table, write, read, every, timeout, losesAtMost }: FileCanary,
  directory: string,
): Canary {
  const common = present({
    everyMs: parseDuration(every),
    timeoutMs: parseDuration(timeout),
    losesAtMostMs: durationOf(losesAtMost),
  })
  if (url !== undefined && readUrl !== undefined && table !== undefined) {
    const at = (value: typeof url) => (typeof value === 'string' ? value : buildSecret(value, directory))
    return { kind: 'sql', ...common, url: at(url), readUrl: at(readUrl), table }
  }
  const program = ([name = '', ...args]: readonly string[]) => [name, ...args] as const
  return { kind: 'command', ...common, write: program(write ?? []), read: program(read ?? []) }
}

function buildProbe(probe: FileProbe, directory: string): HypothesisProbe {
  const measure = buildMeasure(probe, directory)
  const tolerance = probe.expect === undefined ? usual(measure) : buildTolerance(probe.expect)
  return { name: probe.name, measure, timeoutMs: parseDuration(probe.timeout), tolerance }
}

function buildMeasure(probe: FileProbe, directory: string): Measure {
  const { http, headers = {}, tcp, sql, url, command, process, prometheus, query } = probe
  if (http !== undefined) {
    const built = Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : buildSecret(value, directory),
    ])
    return { kind: 'http', url: http, headers: Object.fromEntries(built) as Extract<Measure, { kind: 'http' }>['headers'] }
  }
  if (tcp !== undefined) {
    const colon = tcp.lastIndexOf(':')
    return { kind: 'tcp', host: tcp.slice(0, colon), port: Number(tcp.slice(colon + 1)) }
  }
  if (sql !== undefined && url !== undefined) {
    return { kind: 'sql', sql, url: typeof url === 'string' ? url : buildSecret(url, directory) }
  }
  if (process !== undefined) return { kind: 'process', commandLine: process }
  if (prometheus !== undefined && query !== undefined) return { kind: 'prometheus', url: prometheus, query }
  const [program = '', ...args] = command ?? []
  return { kind: 'command', command: [program, ...args] }
}

function usual({ kind }: Measure): Tolerance {
  switch (kind) {
    case 'http':
      return { kind: 'equals', value: 200 }
    case 'command':
      return { kind: 'equals', value: 0 }
    case 'process':
      return { kind: 'range', atLeast: 1 }
    default:
      return { kind: 'present' }
  }
}

function buildTolerance({ rate, percentile, latency, ...each }: FileTolerance): Tolerance {
  if (percentile !== undefined && latency !== undefined) return { kind: 'latency', percentile, atMostMs: parseDuration(latency) }
  const of = buildSampleTolerance(each)
  return rate === undefined ? of : { kind: 'rate', atLeast: rate, of }
}

function buildSampleTolerance({ equals, atLeast, atMost, matches, jsonpath, count }: FileTolerance): SampleTolerance {
  const range = { kind: 'range', ...present({ atLeast, atMost }) } as const
  const compared =
    equals !== undefined ? ({ kind: 'equals', value: equals } as const) : (atLeast ?? atMost) === undefined ? undefined : range
  if (jsonpath !== undefined) {
    if (count !== undefined) return { kind: 'jsonpath', path: jsonpath, found: { kind: 'count', count } }
    return { kind: 'jsonpath', path: jsonpath, found: compared === undefined ? { kind: 'some' } : { kind: 'each', of: compared } }
  }
  if (matches !== undefined) return { kind: 'matches', pattern: matches }
  return compared ?? { kind: 'present' }
}
