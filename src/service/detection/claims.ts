import type { Catalog, DeciderClaims } from '../../catalog/index.ts'
import { ClaimLog, type Claim, type ClaimEntry, type ClaimState } from '../../detection/index.ts'
import { HoldfastError, systemClock, type Clock } from '../../kernel/index.ts'
import type { Repository } from '../../repository/index.ts'
import { openCatalogRepository } from '../open-repository.ts'
import type { DeciderIdentity } from './decider-identity.ts'
import type { Incident } from './incidents.ts'

/**
 * What came of the wish to start a run. `ours`: it may be submitted. `claimed`: another decider is about to start one; it is taken over when
 * that has not begun within the time. `begun`: another has begun one for this incident.
 */
export type Taken =
  | { readonly state: 'ours'; readonly claim: Claim }
  | { readonly state: 'claimed' | 'begun'; readonly claim: Claim }

export interface Claims extends AsyncDisposable {
  /** Claims an incident. Throws when the repository cannot be asked: then nobody may start anything. */
  take(
    incident: Pick<Incident, 'id' | 'onset' | 'decidedAt'>,
    settled: (run: string) => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<Taken>
  /** The run that is submitted under a claim begins. False when the claim has been passed over: it must not. */
  begin(run: string, signal: AbortSignal): Promise<boolean>
  /** Whether this decider is the one to tell people now; `told` afterwards. */
  telling(because: string, signal: AbortSignal): Promise<boolean>
  told(because: string, signal: AbortSignal): Promise<void>
  /** Somebody says that a run that has begun will never go on, and its incident is past. False when it is not the one that stands there. */
  settle(run: string, why: string, signal: AbortSignal): Promise<boolean>
  /** The incident is past. Does nothing while a run has begun for it that is not settled. */
  over(why: string, settled: (run: string) => Promise<boolean>, signal: AbortSignal): Promise<void>
}

type NewEntry = ClaimEntry extends infer Entry
  ? Entry extends ClaimEntry
    ? Omit<Entry, 'at' | 'decider' | 'host'>
    : never
  : never

/** The claims of a plan, opened when they are first needed. */
export function openClaims(
  catalog: Catalog,
  plan: string,
  { repository: name, expireMs }: DeciderClaims,
  identity: DeciderIdentity,
  clock: Clock = systemClock,
): Claims {
  let opened: { readonly repository: Repository; readonly log: ClaimLog } | undefined
  /** When an entry was first seen here, by the monotonic clock: nobody's wall clock decides whether it has expired. */
  const seenAtMs = new Map<number, number>()

  async function logOf(signal: AbortSignal): Promise<ClaimLog> {
    if (opened === undefined) {
      const repository = await openCatalogRepository(catalog, name, signal)
      opened = { repository, log: new ClaimLog(repository.area('holdfast/claims'), plan) }
    }
    // A file system that is no longer mounted is an empty folder: what is claimed there nobody else sees.
    if ((await opened.repository.backend.stat('config', '', signal)) !== undefined) return opened.log
    throw new HoldfastError('no-repository', {
      message: `there is no repository at ${opened.repository.location} any more: nothing can be claimed`,
      hint: 'look whether its file system is mounted',
    })
  }
  const update = async (decide: (state: ClaimState) => NewEntry | undefined, signal: AbortSignal) => {
    const at = clock.now().toISOString()
    return await (
      await logOf(signal)
    ).update((state) => {
      const entry = decide(state)
      return entry === undefined ? undefined : { ...entry, at, ...identity }
    }, signal)
  }
  const isOurs = ({ decider }: { readonly decider: string }) => decider === identity.decider
  const isExpired = ({ number }: { readonly number: number }) =>
    clock.monotonicMs() - seenAtMs.getOrInsertComputed(number, () => clock.monotonicMs()) >= expireMs
  const isFree = async ({ claim }: ClaimState, settled: (run: string) => Promise<boolean>) =>
    claim === undefined || (claim.begun ? await settled(claim.run) : isOurs(claim) || isExpired(claim))

  return {
    async take({ id, onset, decidedAt }, settled, signal) {
      const before = await (await logOf(signal)).read(signal)
      const stale = before.claim !== undefined && onset > before.claim.decidedAt
      if (stale && (await isFree(before, settled))) {
        // Of an outage that is past, and that nobody has seen end.
        await update(
          ({ head }) => (head === before.head ? { type: 'over', why: 'another outage has begun since' } : undefined),
          signal,
        )
      }
      const { claim } = await update(({ claim: current, head }) => {
        if (current === undefined) return { type: 'claim', incident: id, run: id, onset, decidedAt }
        if (current.begun || isOurs(current) || !isExpired(current)) return undefined
        const { incident, onset: began } = current
        return { type: 'claim', incident, run: `${incident}-${head + 1}`, onset: began, decidedAt }
      }, signal)
      if (claim === undefined) throw new HoldfastError('internal', { message: 'a claim that was made is not there' })
      return { state: claim.begun ? 'begun' : isOurs(claim) ? 'ours' : 'claimed', claim }
    },
    async begin(run, signal) {
      const { claim } = await update(
        ({ claim: current }) =>
          current !== undefined && isOurs(current) && current.run === run && !current.begun ? { type: 'begun', run } : undefined,
        signal,
      )
      return claim !== undefined && isOurs(claim) && claim.run === run && claim.begun
    },
    async telling(because, signal) {
      const { told, telling } = await update(
        (state) =>
          state.told.has(because) || (state.telling?.because === because && (isOurs(state.telling) || !isExpired(state.telling)))
            ? undefined
            : { type: 'telling', because },
        signal,
      )
      return !told.has(because) && telling?.because === because && isOurs(telling)
    },
    async told(because, signal) {
      await update(({ told }) => (told.has(because) ? undefined : { type: 'told', because }), signal)
    },
    async settle(run, why, signal) {
      const before = await (await logOf(signal)).read(signal)
      if (before.claim?.run !== run || !before.claim.begun) return false
      const { claim } = await update(
        (state) => (state.claim?.number === before.claim?.number ? { type: 'over', why } : undefined),
        signal,
      )
      return claim?.number !== before.claim.number
    },
    async over(why, settled, signal) {
      const before = await (await logOf(signal)).read(signal)
      if (before.claim?.begun === true && !(await settled(before.claim.run))) return
      await update(
        ({ head, claim, told, telling }) =>
          head === before.head && (claim !== undefined || told.size > 0 || telling !== undefined)
            ? { type: 'over', why }
            : undefined,
        signal,
      )
    },
    async [Symbol.asyncDispose]() {
      await opened?.repository[Symbol.asyncDispose]()
    },
  }
}
