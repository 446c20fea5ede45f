import { z } from 'zod'
import { HoldfastError, isHoldfastError } from '../kernel/index.ts'
import type { SealedArea } from '../storage/index.ts'

const by = { at: z.iso.datetime(), decider: z.string(), host: z.string() }

/**
 * What the deciders of a plan tell each other, one after the other.
 *
 * claim    the decider means to start the run of that name for the incident; none has begun yet
 * begun    the run named has begun, and nobody may start another for this incident
 * telling  the decider means to tell people of the incident
 * told     it has
 * over     the incident is past: what comes then is another
 */
const claimEntry = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('claim'),
    ...by,
    incident: z.string(),
    run: z.string(),
    onset: z.iso.datetime(),
    decidedAt: z.iso.datetime(),
  }),
  z.object({ type: z.literal('begun'), ...by, run: z.string() }),
  z.object({ type: z.literal('telling'), ...by, because: z.string() }),
  z.object({ type: z.literal('told'), ...by, because: z.string() }),
  z.object({ type: z.literal('over'), ...by, why: z.string() }),
])
export type ClaimEntry = z.infer<typeof claimEntry>
export type Claim = Extract<ClaimEntry, { type: 'claim' }> & {
  /** Its place in the log: larger than that of every claim before it. */
  readonly number: number
  readonly begun: boolean
}

/** How the incident of a plan stands between its deciders. */
export interface ClaimState {
  /** Of the newest entry; 0 before the first. */
  readonly head: number
  /** The newest claim of the incident; absent: none is claimed. */
  readonly claim?: Claim
  /** What people were told of it, by why they were. */
  readonly told: ReadonlySet<string>
  /** Who means to tell, and has not yet. */
  readonly telling?: Extract<ClaimEntry, { type: 'telling' }> & { readonly number: number }
}

const nothing: ClaimState = { head: 0, told: new Set() }

/** Pure. */
export function afterEntry(state: ClaimState, entry: ClaimEntry): ClaimState {
  const head = state.head + 1
  const { telling, ...rest } = state
  switch (entry.type) {
    case 'claim':
      return { ...state, head, claim: { ...entry, number: head, begun: false } }
    case 'begun':
      return { ...state, head, ...(state.claim?.run === entry.run ? { claim: { ...state.claim, begun: true } } : {}) }
    case 'telling':
      return { ...state, head, telling: { ...entry, number: head } }
    case 'told':
      return { ...(telling?.because === entry.because ? rest : state), head, told: new Set([...state.told, entry.because]) }
    case 'over':
    default:
      return { ...nothing, head }
  }
}

/**
 * The log of a plan's deciders in a sealed area: one small object for each entry, `PLAN/0000000001` and so on without a gap, each written
 * only if it does not exist. Of several that write the next entry one succeeds, and the others read what it wrote and think again: so the
 * order of the entries is the same for all, whatever their clocks say, and a decider that slept finds that it was passed over.
 */
export class ClaimLog {
  readonly #area: SealedArea
  readonly #plan: string
  #state = nothing

  constructor(area: SealedArea, plan: string) {
    this.#area = area
    this.#plan = plan
  }

  /** Reads what is new. */
  async read(signal: AbortSignal): Promise<ClaimState> {
    for (;;) {
      const { head } = this.#state
      const entry = await this.#entry(head + 1, signal)
      if (entry === undefined) return this.#state
      // Another call may have read it meanwhile.
      if (this.#state.head === head) this.#state = afterEntry(this.#state, entry)
    }
  }

  /**
   * Appends what `decide` makes of the state, as often as it takes until no other entry came between; undefined leaves the log as it is.
   * Gives the state behind it. `decide` must depend on the state alone, and an entry of one's own that is there already counts as written.
   */
  async update(decide: (state: ClaimState) => ClaimEntry | undefined, signal: AbortSignal): Promise<ClaimState> {
    for (;;) {
      const state = await this.read(signal)
      const entry = decide(state)
      if (entry === undefined) return state
      const bytes = Buffer.from(JSON.stringify(entry))
      try {
        await this.#area.put(nameOf(this.#plan, state.head + 1), bytes, { ifAbsent: true, signal })
      } catch (error) {
        // Somebody was faster; or it was this process, and the answer to an earlier try was lost.
        if (!isHoldfastError(error, 'already-exists')) throw error
      }
    }
  }

  async #entry(number: number, signal: AbortSignal): Promise<ClaimEntry | undefined> {
    const name = nameOf(this.#plan, number)
    let bytes: Uint8Array
    try {
      bytes = await this.#area.get(name, signal)
    } catch (error) {
      if (isHoldfastError(error, 'object-missing')) return undefined
      throw error
    }
    const parsed = claimEntry.safeParse(asJson(bytes))
    if (parsed.success) return parsed.data
    throw new HoldfastError('object-damaged', {
      message: `the claim ${name} is not one that this version can read`,
      hint: 'run the same version of Holdfast wherever it decides',
      details: { object: name },
    })
  }
}

function nameOf(plan: string, number: number): string {
  return `${plan}/${String(number).padStart(10, '0')}`
}

function asJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
}
