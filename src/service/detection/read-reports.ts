import { resolveSecret, type Catalog } from '../../catalog/index.ts'
import { fetchReport, readNewestReport, type ObserverReport } from '../../detection/index.ts'
import { isHoldfastError, type Clock } from '../../kernel/index.ts'
import type { Repository } from '../../repository/index.ts'
import { openCatalogRepository } from '../open-repository.ts'

/** What was heard of one observer. */
export interface HeardObserver {
  readonly observer: string
  readonly heard?: {
    readonly report: ObserverReport
    /** Negative when it is dated in the future. */
    readonly ageMs: number
    /** Where somebody else saw it arrive. */
    readonly clockAheadMs?: number
  }
  /** Why it could not be looked for. */
  readonly problem?: string
}

/** Reads reports again and again. What is open stays open until it is disposed. */
export interface ReportReader extends AsyncDisposable {
  read(observers: readonly string[], signal: AbortSignal): Promise<HeardObserver[]>
}

const timeoutMs = 10_000
const clockToleranceMs = 5000

/** Reads where the catalog says that each observer reports. A place that cannot be read, or hangs, is an outcome of that observer alone. */
export function openReportReader(catalog: Catalog, clock: Clock): ReportReader {
  const repositories = new Map<string, Promise<Repository>>()
  const firstSeen = new Map<string, { readonly epoch: number; readonly seq: number; readonly atMs: number }>()

  function repositoryOf(name: string, signal: AbortSignal): Promise<Repository> {
    const known = repositories.get(name)
    if (known !== undefined) return known
    const opening = openCatalogRepository(catalog, name, signal)
    repositories.set(name, opening)
    opening.catch(() => repositories.delete(name))
    return opening
  }

  /** By the report's own time; but no younger than it has been known here: the clocks may jump. */
  function ageOf({ observer, epoch, seq, sentAt }: ObserverReport): number {
    const known = firstSeen.get(observer)
    const first = known?.epoch === epoch && known.seq === seq ? known : { epoch, seq, atMs: clock.monotonicMs() }
    firstSeen.set(observer, first)
    const dated = clock.now().getTime() - Date.parse(sentAt)
    return dated < -clockToleranceMs ? dated : Math.max(dated, clock.monotonicMs() - first.atMs)
  }

  async function hear(observer: string, signal: AbortSignal): Promise<HeardObserver['heard']> {
    const report = catalog.observers[observer]?.report
    if (report === undefined) return undefined
    if (report.kind === 'http') {
      const token = async (abort: AbortSignal) => (await resolveSecret(report.token, abort)).reveal()
      const found = await fetchReport({ url: report.url, observer, token }, signal)
      return found
    }
    const repository = await repositoryOf(report.repository, signal)
    const found = await readNewestReport(repository.area('holdfast/observations'), observer, signal)
    return found === undefined ? undefined : { report: found, ageMs: ageOf(found) }
  }

  return {
    read: (observers, signal) =>
      Promise.all(
        observers.map(async (observer): Promise<HeardObserver> => {
          const { promise: timedOut, resolve } = Promise.withResolvers<'timed-out'>()
          const timer = setTimeout(() => resolve('timed-out'), timeoutMs)
          try {
            const heard = await Promise.race([hear(observer, signal), timedOut])
            if (heard === 'timed-out') return { observer, problem: `its reports could not be read within ${timeoutMs} ms` }
            return { observer, ...(heard === undefined ? {} : { heard }) }
          } catch (error) {
            signal.throwIfAborted()
            if (!isHoldfastError(error) || error.code === 'internal') throw error
            return { observer, problem: error.message }
          } finally {
            clearTimeout(timer)
          }
        }),
      ),
    async [Symbol.asyncDispose]() {
      for (const opening of repositories.values()) await (await opening.catch(() => undefined))?.[Symbol.asyncDispose]()
    },
  }
}
