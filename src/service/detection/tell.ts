import { actions } from '../../actions/index.ts'
import type { Catalog } from '../../catalog/index.ts'
import { isHoldfastError, messageOf, type Json } from '../../kernel/index.ts'
import { actionContext, bindAction, compilePlan, planHash } from '../../recovery/index.ts'
import { actionServices } from '../recovery/action-services.ts'
import { codeVersion } from '../recovery/code-version.ts'
import type { Claims } from './claims.ts'
import type { Incident } from './incidents.ts'
import type { WatchedService } from './watched-plan.ts'

/**
 * `told`: somebody at least; `problems` of the ways that did not work. `not-told`: no way worked. `told-before`, `told-elsewhere`: this
 * machine has, or another one has or is about to.
 */
export type Telling =
  | { readonly state: 'told' | 'not-told'; readonly problems: readonly string[] }
  | { readonly state: 'told-before' | 'told-elsewhere' }

export interface ToTell {
  readonly catalog: Catalog
  readonly watched: WatchedService
  readonly incident: Incident
  /** Why people are needed. */
  readonly because: string
  /** In words: what would be lost, and what to type. Follows each message of the catalog. */
  readonly details: string
  readonly claims: Claims | undefined
}

/**
 * Says it in every way that the catalog has. Of several machines one does, as far as they can agree; one that cannot reach the claims says it
 * all the same: heard twice is better than not at all.
 */
export async function tellPeople(
  { catalog, watched, incident, because, details, claims }: ToTell,
  signal: AbortSignal,
): Promise<Telling> {
  const isOurs = await claims?.telling(because, signal).catch(notAgreed)
  if (isOurs === false) return { state: 'told-elsewhere' }
  const services = actionServices(catalog)
  const context = actionContext(
    services,
    incident.id,
    {
      planHash: planHash(compilePlan(watched.plan), codeVersion()),
      requestedBy: `detection by ${incident.by.join(', ')}`,
      target: { kind: 'latest' },
    },
    'detect',
    {},
  )
  const problems: string[] = []
  for (const [index, way] of watched.notify.entries()) {
    try {
      const action = bindAction(actions, 'notify', messageOfAll(way, details))
      const idempotencyKey = `${incident.id}/${because}/${index}`
      await action.run(context, { signal, idempotencyKey, attempt: 1, fencingToken: 0 })
    } catch (error) {
      signal.throwIfAborted()
      if (!isHoldfastError(error)) throw error
      problems.push(error.message)
    }
  }
  if (problems.length === watched.notify.length) return { state: 'not-told', problems }
  await claims?.told(because, signal).catch(notAgreed)
  return { state: 'told', problems }

  function notAgreed(error: unknown): undefined {
    signal.throwIfAborted()
    if (!isHoldfastError(error) || error.code === 'internal') throw error
    services.progress({ step: 'detect', text: `the other deciders could not be asked: ${messageOf(error)}` })
  }
}

/** Here a message that cannot be sent is told. The details hold what others wrote, such as names: nothing in them is a fact of a run. */
function messageOfAll(way: WatchedService['notify'][number], details: string): Json {
  return {
    ...way,
    message: `${typeof way.message === 'string' ? way.message : ''}\n\n${details.replaceAll('${', '$ {')}`,
    required: true,
  }
}
