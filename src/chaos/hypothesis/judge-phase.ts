import type { HypothesisProbe, WindowTolerance } from '../../catalog/index.ts'
import { isWindow } from './tolerance.ts'
import type { PhaseEvidence, ProbeResult, Sample } from './evidence.ts'

/** A time in which the steady state was not seen. */
export interface Outage {
  /** No later than this: when the last look began that was well, or the phase. */
  readonly fromMs: number
  /** No earlier than this: when the first look ended that was well again. Absent: it had not ended. */
  readonly toMs?: number
}

export interface Breach {
  readonly probe: string
  /** Absent: of the phase as a whole. */
  readonly slot?: number
  readonly because: string
}

export interface PhaseVerdict {
  /** There was something to see, and all of it was as it must be. */
  readonly met: boolean
  readonly slots: number
  /** Slots in which something was seen, and those in which all of it was as it must be. */
  readonly seen: number
  readonly steady: number
  readonly outages: readonly Outage[]
  readonly breaches: readonly Breach[]
  /** Of rates and percentiles over the whole phase. */
  readonly windowsMet: boolean
}

/** What the evidence of a phase shows. What is missing is a breach, and nothing at all is no steady state. */
export function judgePhase(probes: readonly HypothesisProbe[], evidence: PhaseEvidence): PhaseVerdict {
  const bySlot = new Map(evidence.samples.map((sample) => [sample.slot, sample]))
  const slots = Array.from({ length: evidence.slots }, (_, slot) => bySlot.get(slot))
  const inSlots = slots.map((sample, slot) => slotBreaches(probes, sample, slot))
  const windows = probes.flatMap((probe) => windowBreach(probe, slots) ?? [])
  const steady = inSlots.filter((breaches) => breaches.length === 0).length
  return {
    met: evidence.slots > 0 && probes.length > 0 && steady === evidence.slots && windows.length === 0,
    slots: evidence.slots,
    seen: slots.filter((sample) => sample !== undefined && 'results' in sample).length,
    steady,
    outages: outagesOf(slots, inSlots, evidence.startedMs),
    breaches: [...inSlots.flat(), ...windows],
    windowsMet: windows.length === 0,
  }
}

/** Whether all that one look is judged by was as it must be. */
export function isWell(probes: readonly HypothesisProbe[], sample: Sample): boolean {
  return 'results' in sample && slotBreaches(probes, sample, sample.slot).length === 0
}

function slotBreaches(probes: readonly HypothesisProbe[], sample: Sample | undefined, slot: number): Breach[] {
  return probes.flatMap(({ name, tolerance }): Breach[] => {
    if (sample === undefined || 'missed' in sample) {
      return [
        { probe: name, slot, because: sample === undefined ? 'no sample was taken' : `no sample was taken: ${sample.missed}` },
      ]
    }
    const result = sample.results.find(({ probe }) => probe === name)
    if (result === undefined) return [{ probe: name, slot, because: 'it was not looked at' }]
    // What is judged over the phase is looked at there.
    if (isWindow(tolerance) || result.met === true) return []
    return [{ probe: name, slot, because: result.because ?? 'it was not met' }]
  })
}

function windowBreach({ name, tolerance }: HypothesisProbe, slots: readonly (Sample | undefined)[]): Breach | undefined {
  if (!isWindow(tolerance)) return undefined
  const results = slots.map((sample) =>
    sample !== undefined && 'results' in sample ? sample.results.find(({ probe }) => probe === name) : undefined,
  )
  const because = tolerance.kind === 'rate' ? tooRare(tolerance, results) : tooSlow(tolerance, results)
  return because === undefined ? undefined : { probe: name, because }
}

type Results = readonly (ProbeResult | undefined)[]

function tooRare({ atLeast }: Extract<WindowTolerance, { kind: 'rate' }>, results: Results): string | undefined {
  const good = results.filter((result) => result?.counts === true).length
  if (results.length > 0 && good >= atLeast * results.length) return undefined
  return `${good} of ${results.length} looks were as they must be, less than ${atLeast * 100} %`
}

/** The nearest rank (the smallest value that is not below the given share): never between two looks. */
function tooSlow({ percentile, atMostMs }: Extract<WindowTolerance, { kind: 'latency' }>, results: Results): string | undefined {
  const latencies = results
    .map((result) => (result === undefined || result.value === undefined ? Number.POSITIVE_INFINITY : result.latencyMs))
    .toSorted((a, b) => a - b)
  const found = latencies[Math.ceil((percentile / 100) * latencies.length) - 1] ?? Number.POSITIVE_INFINITY
  if (found <= atMostMs) return undefined
  const shown = Number.isFinite(found) ? `${Math.round(found)} ms` : 'that of a look that failed'
  return `the p${percentile} of its latency is ${shown}, more than ${atMostMs} ms`
}

function outagesOf(slots: readonly (Sample | undefined)[], inSlots: readonly (readonly Breach[])[], startedMs: number): Outage[] {
  const outages: Outage[] = []
  let lastWellMs = startedMs
  let openFromMs: number | undefined
  for (const [slot, sample] of slots.entries()) {
    const isWell = inSlots[slot]?.length === 0 && sample !== undefined && 'results' in sample
    if (!isWell) {
      openFromMs ??= lastWellMs
      continue
    }
    if (openFromMs !== undefined) outages.push({ fromMs: openFromMs, toMs: sample.endedMs })
    openFromMs = undefined
    lastWellMs = sample.startedMs
  }
  return openFromMs === undefined ? outages : [...outages, { fromMs: openFromMs }]
}
