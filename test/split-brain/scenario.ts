/** What happens in one world. Each seed is one combination, the same every time. */
export interface Scenario {
  readonly seed: number
  /** What becomes of the primary. `lonely`: cut off from all but the clients. `gone`: from the clients too. */
  readonly disaster: 'none' | 'killed' | 'frozen' | 'runner-cut' | 'lonely' | 'gone'
  /** The standby before that. `behind`: cut off from the primary for a while, and after. */
  readonly standby: 'well' | 'paused' | 'behind' | 'stopped'
  /** The switch of the primary's power, which the plan's disaster form uses. */
  readonly power: 'works' | 'refuses'
  /** What else happens once the fence is confirmed. */
  readonly afterFence: 'nothing' | 'primary-cut' | 'replay-paused'
  /** Of the promotion, per attempt. */
  readonly promoteTimeout: '20s' | '20ms'
  /** The orchestrator is killed at these numbers of journal records, and started again each time. */
  readonly kills: readonly number[]
}

export function scenarioOf(seed: number): Scenario {
  const random = mulberry32(seed)
  const pick = <T>(...choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T
  return {
    seed,
    disaster: pick('none', 'killed', 'frozen', 'runner-cut', 'lonely', 'gone'),
    standby: pick('well', 'well', 'well', 'well', 'paused', 'behind', 'stopped'),
    power: pick('works', 'works', 'refuses'),
    afterFence: pick('nothing', 'nothing', 'primary-cut', 'replay-paused'),
    promoteTimeout: pick('20s', '20s', '20s', '20ms'),
    kills: pick<() => readonly number[]>(
      () => [],
      () => [2 + Math.floor(random() * 16)],
      () => [2 + Math.floor(random() * 8), 10 + Math.floor(random() * 10)],
    )(),
  }
}

/** A small generator with a seed, so that a run that failed can be had again. Public domain, by Tommy Ettinger. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
