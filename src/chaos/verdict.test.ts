import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { HypothesisProbe } from '../catalog/index.ts'
import type { PhaseEvidence, ProbeResult, Sample } from './hypothesis/evidence.ts'
import { experimentVerdicts, judgeExperiment, verdictExitCodes, type ExperimentEvidence, type FaultEvidence } from './verdict.ts'

const common = { measure: { kind: 'tcp', host: 'h', port: 1 }, timeoutMs: 100 } as const
const answers: HypothesisProbe = { name: 'answers', ...common, tolerance: { kind: 'present' } }
const quick: HypothesisProbe = { name: 'quick', ...common, tolerance: { kind: 'latency', percentile: 50, atMostMs: 100 } }
const often: HypothesisProbe = {
  name: 'often',
  ...common,
  tolerance: { kind: 'rate', atLeast: 0.5, of: { kind: 'present' } },
}
const probes = [answers, quick, often]
const everyMs = 1000

const good: readonly ProbeResult[] = [
  { probe: 'answers', value: true, met: true, latencyMs: 5 },
  { probe: 'quick', value: true, latencyMs: 5 },
  { probe: 'often', value: true, counts: true, latencyMs: 5 },
]
const bad: readonly ProbeResult[] = [
  { probe: 'answers', met: false, latencyMs: 5, because: 'is not there' },
  { probe: 'quick', value: true, latencyMs: 5 },
  { probe: 'often', value: true, counts: true, latencyMs: 5 },
]

/** `wwbww`: well and broken, a second each; `-` was missed. */
function phase(text: string, startedMs: number): PhaseEvidence {
  const samples = text.split('').map((seen, slot): Sample => {
    const dueMs = startedMs + slot * everyMs
    if (seen === '-') return { slot, dueMs, missed: 'late' }
    return { slot, dueMs, startedMs: dueMs, endedMs: dueMs + 5, results: seen === 'w' ? good : bad }
  })
  return { startedMs, endedMs: startedMs + text.length * everyMs, everyMs, slots: text.length, samples }
}

const injected: FaultEvidence = { name: 'kill', targets: ['pod-1'], state: 'injected', injectedAtMs: 10_500, undo: 'lasting' }

function evidence(during: string, rest: Partial<ExperimentEvidence> = {}): ExperimentEvidence {
  return { before: phase('www', 0), during: phase(during, 10_000), after: phase('www', 60_000), faults: [injected], ...rest }
}

const holds = { hypothesis: { probes }, recoversFrom: 'fault', drill: false } as const
const recovers = { ...holds, recoversWithinMs: 4000 }

test('it passes when the steady state held while the fault was really there', () => {
  expect(judgeExperiment(evidence('wwww'), holds)).toEqual({ verdict: 'pass', because: [], recoveryMs: 0 })
})

test('one breach while it is broken fails it, unless it may come back in time', () => {
  expect(judgeExperiment(evidence('wbbww'), holds).verdict).toBe('fail')
  // From the injection at 10.5 s to the end of the first good look at 13.005 s.
  expect(judgeExperiment(evidence('wbbww'), recovers)).toEqual({ verdict: 'pass', because: [], recoveryMs: 2505 })
  expect(judgeExperiment(evidence('wbbbbbww'), recovers)).toMatchObject({ verdict: 'fail', recoveryMs: 5505 })
  expect(judgeExperiment(evidence('wwbbb'), recovers)).not.toHaveProperty('recoveryMs')
})

test('what was not seen is a breach: a missed slot counts as one, and so does a sample that is not there', () => {
  expect(judgeExperiment(evidence('ww-w'), holds)).toMatchObject({ verdict: 'fail' })
  const during = phase('wwww', 10_000)
  const lost = { ...during, samples: during.samples.slice(0, 3) }
  expect(judgeExperiment(evidence('', { during: lost }), holds)).toMatchObject({ verdict: 'fail' })
})

test('what a canary lost fails it beyond what may be lost, and what nobody knows of that is never a pass', () => {
  const canary = { written: 100, acknowledged: 90, surviving: 80, lost: 10, rpaMs: 1500 }
  const losing = (losesAtMostMs?: number) => ({ ...holds, canary: losesAtMostMs === undefined ? {} : { losesAtMostMs } })
  const seen = evidence('wwww', { canary })
  expect(judgeExperiment(seen, losing()).verdict).toBe('pass')
  expect(judgeExperiment(seen, losing(1500)).verdict).toBe('pass')
  expect(judgeExperiment(seen, losing(0))).toMatchObject({
    verdict: 'fail',
    because: ['its canary lost 10 acknowledged rows over 1.5 s, more than 0 s'],
  })
  expect(judgeExperiment(evidence('wwww'), losing()).verdict).toBe('inconclusive')
  const { rpaMs: _rpaMs, ...unread } = canary
  expect(judgeExperiment(evidence('wwww', { canary: unread }), losing(5000)).verdict).toBe('inconclusive')
  expect(judgeExperiment(evidence('wwww', { canary: { ...unread, unknown: 'it is gone' } }), losing())).toMatchObject({
    verdict: 'inconclusive',
    because: ['nobody knows what its canary lost: it is gone'],
  })
})

test('recovery may count from the clean-up', () => {
  const expected = { ...recovers, recoversFrom: 'clean-up' as const }
  const partition: FaultEvidence = { ...injected, name: 'partition', undo: 'gone' }
  const within = evidence('bbbbb', { after: phase('bbwww', 60_000), faults: [partition] })
  expect(judgeExperiment(within, expected)).toEqual({ verdict: 'pass', because: [], recoveryMs: 2005 })
  const late = evidence('bbbbb', { after: phase('bbbbbbw', 60_000), faults: [partition] })
  expect(judgeExperiment(late, expected).verdict).toBe('fail')
  const never = evidence('bbbbb', { after: phase('bbbbbbb', 60_000), faults: [partition] })
  expect(judgeExperiment(never, expected).verdict).toBe('fail')
})

test.each<[string, Partial<ExperimentEvidence>, string]>([
  ['it was not steady before', { before: phase('wbw', 0) }, 'inconclusive'],
  ['nobody looked before', { before: phase('', 0) }, 'inconclusive'],
  ['the injection failed', { faults: [{ ...injected, state: 'failed' }] }, 'inconclusive'],
  ['the fault could not be seen', { faults: [{ ...injected, state: 'unconfirmed' }] }, 'inconclusive'],
  ['one of two faults failed', { faults: [injected, { ...injected, state: 'failed' }] }, 'inconclusive'],
  ['there was no target', { faults: [{ ...injected, targets: [] }] }, 'inconclusive'],
  ['there was no fault', { faults: [] }, 'inconclusive'],
  ['no sample was taken meanwhile', { during: phase('', 0) }, 'inconclusive'],
  ['no sample was taken afterwards', { after: phase('', 0) }, 'inconclusive'],
  ['it was not steady afterwards', { after: phase('wwb', 60_000) }, 'fail'],
  ['it was halted', { stopped: 'halted by ann' }, 'aborted'],
  ['it is not gone', { faults: [{ ...injected, undo: 'failed' }] }, 'cleanup-failed'],
  ['nobody knows whether it is gone', { faults: [{ ...injected, undo: 'unknown' }], stopped: 'halted' }, 'cleanup-failed'],
])('it is no pass when %s', (_, rest, verdict) => {
  expect(judgeExperiment(evidence('wwww', rest), holds).verdict).toBe(verdict)
})

test('a fault that was not there until its end shows only what may come back while it lasts', () => {
  const lost = { faults: [{ ...injected, lost: 'nothing of it was there any more' }] }
  expect(judgeExperiment(evidence('wwww', lost), holds)).toEqual({
    verdict: 'inconclusive',
    because: ['the fault kill was not there until its end: nothing of it was there any more'],
  })
  const fromItsEnd = { ...recovers, recoversFrom: 'clean-up' as const }
  // What did not hold while it was there did not hold.
  expect(judgeExperiment(evidence('wbww', lost), holds).verdict).toBe('fail')
  expect(judgeExperiment(evidence('wbww', lost), fromItsEnd).verdict).toBe('inconclusive')
  // Who brings it back may do so by taking the fault away.
  expect(judgeExperiment(evidence('wbww', lost), recovers).verdict).toBe('pass')
  const byPlan = evidence('wwww', { ...lost, drill: { succeeded: true } })
  expect(judgeExperiment(byPlan, { ...holds, drill: true }).verdict).toBe('pass')
})

test('a plan that must run and did not proves nothing; one that failed fails it', () => {
  const expected = { ...holds, drill: true }
  expect(judgeExperiment(evidence('wwww'), expected).verdict).toBe('inconclusive')
  expect(judgeExperiment(evidence('wwww', { drill: { succeeded: false } }), expected).verdict).toBe('fail')
  expect(judgeExperiment(evidence('wwww', { drill: { succeeded: true } }), expected).verdict).toBe('pass')
})

test('a percentile and a rate are judged over the phase, and what is missing is slow and wrong', () => {
  const slow = { ...phase('wwww', 10_000) }
  const samples = slow.samples.map((sample, slot) =>
    'results' in sample && slot > 1
      ? { ...sample, results: sample.results.map((result) => ({ ...result, latencyMs: 500 })) }
      : sample,
  )
  expect(judgeExperiment(evidence('', { during: { ...slow, samples } }), holds).verdict).toBe('pass')
  const oneMissing = samples.filter(({ slot }) => slot !== 0)
  expect(judgeExperiment(evidence('', { during: { ...slow, samples: oneMissing } }), recovers)).toMatchObject({
    verdict: 'fail',
    because: [expect.stringContaining('p50'), expect.anything()].slice(0, 1),
  })
})

test('each verdict has an exit code of its own, and only a pass is 0', () => {
  const codes = experimentVerdicts.map((verdict) => verdictExitCodes[verdict])
  expect(new Set(codes).size).toBe(experimentVerdicts.length)
  expect(codes.filter((code) => code === 0)).toHaveLength(1)
  expect(verdictExitCodes.pass).toBe(0)
})

const phases = (startedMs: number) =>
  fc.stringMatching(/^(?:[wb-]{0,8}|w{1,6}b{0,2}w{1,3})$/).map((text) => phase(text, startedMs))
/** Mostly as an experiment that went well: what it shows is about those. */
const mostly = <T>(usual: T, other: fc.Arbitrary<T>) => fc.oneof({ weight: 5, arbitrary: fc.constant(usual) }, other)
const anyFault: fc.Arbitrary<FaultEvidence> = fc.record({
  name: fc.constant('f'),
  targets: mostly<readonly string[]>(['a', 'b'], fc.constantFrom([], ['a'])),
  state: mostly<FaultEvidence['state']>('injected', fc.constantFrom('unconfirmed', 'failed', 'not-begun')),
  injectedAtMs: fc.integer({ min: 10_000, max: 12_000 }),
  undo: mostly<FaultEvidence['undo']>('gone', fc.constantFrom('lasting', 'failed', 'unknown')),
})
const anyEvidence: fc.Arbitrary<ExperimentEvidence> = fc.record(
  {
    before: mostly(phase('www', 0), phases(0)),
    during: mostly(phase('wbbwww', 10_000), phases(10_000)),
    after: mostly(phase('www', 60_000), phases(60_000)),
    faults: fc.array(anyFault, { maxLength: 2 }),
    drill: fc.record({ succeeded: fc.boolean() }),
  },
  { requiredKeys: ['before', 'during', 'after', 'faults'] },
)
const anyExpectation = fc.constantFrom(
  holds,
  recovers,
  { ...recovers, recoversFrom: 'clean-up' as const },
  { ...holds, drill: true },
  { ...recovers, drill: true },
)

/** All that is left when one thing is not known. */
function withLess(evidence: ExperimentEvidence): ExperimentEvidence[] {
  const less: ExperimentEvidence[] = []
  for (const name of ['before', 'during', 'after'] as const) {
    const seen = evidence[name]
    if (seen === undefined) continue
    const { [name]: _, ...without } = evidence
    less.push(without)
    for (const index of seen.samples.keys()) {
      less.push({ ...evidence, [name]: { ...seen, samples: seen.samples.toSpliced(index, 1) } })
      const sample = seen.samples[index]
      if (sample === undefined || !('results' in sample)) continue
      for (const result of sample.results.keys()) {
        const samples = seen.samples.with(index, { ...sample, results: sample.results.toSpliced(result, 1) })
        less.push({ ...evidence, [name]: { ...seen, samples } })
      }
    }
  }
  for (const [index, fault] of evidence.faults.entries()) {
    const { injectedAtMs: _, ...undated } = fault
    const faults: FaultEvidence[] = [undated, { ...fault, targets: fault.targets.slice(1) }]
    if (fault.state === 'injected') faults.push({ ...fault, state: 'unconfirmed' })
    if (fault.undo === 'gone') faults.push({ ...fault, undo: 'unknown' })
    for (const known of faults) less.push({ ...evidence, faults: evidence.faults.with(index, known) })
  }
  const { drill: _, ...undrilled } = evidence
  return [...less, undrilled]
}

test('removing evidence never improves a verdict, and a pass has seen all that it stands for', () => {
  const rank = (evidence: ExperimentEvidence, expected: Parameters<typeof judgeExperiment>[1]) =>
    experimentVerdicts.indexOf(judgeExperiment(evidence, expected).verdict)
  let passes = 0
  fc.assert(
    fc.property(anyEvidence, anyExpectation, (evidence, expected) => {
      const whole = rank(evidence, expected)
      if (whole === 0) {
        passes++
        expectWholeEvidence(evidence)
      }
      for (const less of withLess(evidence)) expect(rank(less, expected)).toBeGreaterThanOrEqual(whole)
    }),
    { numRuns: 500 },
  )
  expect(passes, 'it must have met passes to be about anything').toBeGreaterThan(20)
})

/** Steady before, targets found, each fault seen there and gone, and looked meanwhile and afterwards. */
function expectWholeEvidence({ before, during, after, faults }: ExperimentEvidence): void {
  for (const seen of [before, during, after]) expect(seen?.samples.length).toBeGreaterThan(0)
  expect(faults.length).toBeGreaterThan(0)
  for (const { targets, state, undo } of faults) {
    expect(targets).not.toEqual([])
    expect(state).toBe('injected')
    expect(['gone', 'lasting']).toContain(undo)
  }
}
