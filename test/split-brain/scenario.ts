import fc from 'fast-check'

/** What happens in one world. Each seed is one combination, the same every time. */
export interface Scenario {
  readonly seed: number
  /** What becomes of the primary. `lonely`: cut off from all but the clients. `gone`: from the clients too. */
  readonly disaster: 'none' | 'killed' | 'frozen' | 'runner-cut' | 'lonely' | 'gone'
  /** The standby before that. `behind`: cut off from the primary for a while, and after. */
  readonly standby: 'well' | 'paused' | 'behind' | 'stopped'
  /** Who starts the plan; see `decidedBy`. */
  readonly decides: 'person' | 'observers'
  /** One of three. `cut-off`: from the primary and from whoever collects. */
  readonly observer: 'well' | 'cut-off'
  /** The switch of the primary's power, which the plan's disaster form uses. */
  readonly power: 'works' | 'refuses'
  /** What else happens once the fence is confirmed. With the cable to HAProxy cut, neither the undo nor what follows the promotion gets there. */
  readonly afterFence: 'nothing' | 'primary-cut' | 'replay-paused' | 'names-refuse' | 'names-silent' | 'proxy-cut'
  /** Of the promotion, per attempt. */
  readonly promoteTimeout: '20s' | '20ms'
  /** The orchestrator is killed at these numbers of journal records, and started again each time. */
  readonly kills: readonly number[]
  /** An old primary that is down at the end: started again, or only if `holdfast postgres may-lead` lets it. */
  readonly comesBack: 'stays-away' | 'guarded' | 'by-hand'
}

/** The kinds that leave most to decide come up more often. */
const scenarios = fc.record({
  disaster: fc.constantFrom('none', 'killed', 'frozen', 'runner-cut', 'lonely', 'gone'),
  standby: fc.constantFrom('well', 'well', 'well', 'well', 'paused', 'behind', 'stopped'),
  decides: fc.constantFrom('person', 'observers'),
  observer: fc.constantFrom('well', 'cut-off'),
  power: fc.constantFrom('works', 'works', 'refuses'),
  afterFence: fc.constantFrom(
    'nothing',
    'nothing',
    'nothing',
    'primary-cut',
    'replay-paused',
    'names-refuse',
    'names-silent',
    'proxy-cut',
  ),
  promoteTimeout: fc.constantFrom('20s', '20s', '20s', '20ms'),
  kills: fc.oneof(
    fc.constant([]),
    fc.tuple(fc.integer({ min: 2, max: 20 })),
    fc.tuple(fc.integer({ min: 2, max: 10 }), fc.integer({ min: 11, max: 24 })),
  ),
  comesBack: fc.constantFrom('stays-away', 'guarded', 'by-hand'),
}) satisfies fc.Arbitrary<Omit<Scenario, 'seed'>>

export function scenarioOf(seed: number): Scenario {
  // Neighbouring seeds would begin alike.
  const [scenario] = fc.sample(scenarios, { seed: Math.imul(seed, 0x9e3779b1), numRuns: 1 })
  if (scenario === undefined) throw new Error(`no scenario of seed ${seed}`)
  return { seed, ...scenario }
}

/** Observers decide only about what they all see: of a primary that only some do not reach, and for a planned switch, a person does. */
export function decidedBy({ decides, disaster }: Scenario): Scenario['decides'] {
  return disaster === 'killed' || disaster === 'frozen' || disaster === 'gone' ? decides : 'person'
}
