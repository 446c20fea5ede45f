import { join } from 'node:path'
import { resolveSecret, type Catalog, type Observer } from '../../catalog/index.ts'
import { observe, type ObserverEvent } from '../../detection/index.ts'
import { HoldfastError, ownIdentity, systemClock, stateDirectory } from '../../kernel/index.ts'
import { reporterOf } from './reporter-of.ts'
import { soleProcess } from '../sole-process.ts'

/** What an observer looks at, before it begins to. */
export interface ObserverDuty {
  readonly observer: Observer
  readonly plans: readonly string[]
}

/** Throws `usage` for an observer that the catalog does not name, or that no plan asks for. */
export function dutyOf(catalog: Catalog, name: string): ObserverDuty {
  const observer = catalog.observers[name]
  if (observer === undefined) {
    const known = Object.keys(catalog.observers)
    throw new HoldfastError('usage', {
      message: `the catalog names no observer '${name}'`,
      hint: known.length === 0 ? 'add it under `observers`' : `it has: ${known.join(', ')}`,
    })
  }
  const plans = Object.values(catalog.plans).filter((plan) => plan.detection?.watch?.observers.includes(name) === true)
  if (plans.length > 0) return { observer, plans: plans.map((plan) => plan.name) }
  throw new HoldfastError('usage', {
    message: `no plan is watched by the observer ${name}`,
    hint: `name it in the \`observers\` of a plan's detection, in ${catalog.file}`,
  })
}

/**
 * Observes as `name` until the signal aborts, or once. Loss of the way of its reports is an event, not an end. Throws `run-busy` when another
 * process observes under this name.
 */
export async function runObserver(
  catalog: Catalog,
  name: string,
  { once = false, onEvent }: { readonly once?: boolean; readonly onEvent: (event: ObserverEvent) => void },
  signal: AbortSignal,
): Promise<void> {
  const { observer, plans } = dutyOf(catalog, name)
  // Its token grows with every start, over crashes and reboots too: it is the epoch of the reports.
  const folder = join(stateDirectory(catalog.file), 'observers', name)
  await using lock = await soleProcess(folder, `observer ${name}`, 'each observer is one process: stop the other one first')
  const { boot, host, pid } = await ownIdentity()
  await using reporter = reporterOf(catalog, observer)
  try {
    await observe(
      {
        observer: name,
        site: observer.site,
        plans: plans.flatMap((plan) => {
          const watch = catalog.plans[plan]?.detection?.watch
          return watch === undefined ? [] : [{ plan, watch }]
        }),
        ...(observer.reference === undefined ? {} : { reference: observer.reference }),
        reporter,
        epoch: lock.token,
        identity: { boot, host, pid },
        clock: systemClock,
        resolveSecret: (reference, abort) => resolveSecret(reference, abort),
        onEvent,
      },
      { once },
      signal,
    )
  } catch (error) {
    // To be stopped is how it ends.
    if (!signal.aborted || once) throw error
  }
}
