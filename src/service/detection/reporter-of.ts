import { resolveSecret, type Catalog, type Observer } from '../../catalog/index.ts'
import { createAreaReporter, createHttpReporter, type Reporter } from '../../detection/index.ts'
import { HoldfastError, isHoldfastError } from '../../kernel/index.ts'
import type { Repository } from '../../repository/index.ts'
import { openCatalogRepository } from '../open-repository.ts'

/** The way that the catalog gives an observer's reports. A repository need not be there yet, and may go and come back. */
export function reporterOf(catalog: Catalog, { name, report }: Observer): Reporter & AsyncDisposable {
  if (report.kind === 'repository') return repositoryReporter(catalog, name, report.repository)
  const token = async (signal: AbortSignal) => (await resolveSecret(report.token, signal)).reveal()
  return { ...createHttpReporter({ url: report.url, observer: name, token }), [Symbol.asyncDispose]: async () => {} }
}

function repositoryReporter(catalog: Catalog, observer: string, repository: string): Reporter & AsyncDisposable {
  let open: { readonly repository: Repository; readonly reporter: Reporter } | undefined
  const close = async () => {
    const closing = open
    open = undefined
    await closing?.repository[Symbol.asyncDispose]()
  }
  /** Opened when it is needed, kept while it works, and opened anew after it did not. */
  const through = async <T>(work: (reporter: Reporter) => Promise<T>, signal: AbortSignal): Promise<T> => {
    if (open === undefined) {
      const opened = await openCatalogRepository(catalog, repository, signal)
      open = { repository: opened, reporter: createAreaReporter(opened.area('holdfast/observations'), observer) }
    }
    try {
      await requireRepository(open.repository, signal)
      return await work(open.reporter)
    } catch (error) {
      if (!isHoldfastError(error, 'run-busy')) await close()
      throw error
    }
  }
  return {
    newestEpoch: (signal) => through((reporter) => reporter.newestEpoch(signal), signal),
    publish: (report, signal) => through((reporter) => reporter.publish(report, signal), signal),
    [Symbol.asyncDispose]: close,
  }
}

/** A file system that is no longer mounted is an empty folder: what is written there reaches nobody. */
async function requireRepository({ backend, location }: Repository, signal: AbortSignal): Promise<void> {
  if ((await backend.stat('config', '', signal)) !== undefined) return
  throw new HoldfastError('no-repository', {
    message: `there is no repository at ${location} any more`,
    hint: 'look whether its file system is mounted',
  })
}
