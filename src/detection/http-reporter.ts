import { z } from 'zod'
import { HoldfastError, messageOf } from '../kernel/index.ts'
import { observerReport, type ObserverReport } from './report.ts'
import { supersededError, type Reporter } from './reporter.ts'

export interface CollectorAccess {
  /** Of the collector. */
  readonly url: string
  readonly observer: string
  readonly token: (signal: AbortSignal) => Promise<string>
}

/** A report as a collector gives it. */
export const collectedReport = z.strictObject({
  report: observerReport,
  /** Since it arrived, by the collector's monotonic clock: no clock of an observer is in it. */
  ageMs: z.number().nonnegative(),
  /** How far the observer's clock is ahead of the collector's, the way of the report included. */
  clockAheadMs: z.number(),
})
export type CollectedReport = z.infer<typeof collectedReport>

const timeoutMs = 5000

/** Reports to a collector: `PUT /v1/reports/NAME` with the observer's own token. */
export function createHttpReporter(access: CollectorAccess): Reporter {
  return {
    async newestEpoch(signal) {
      return (await fetchReport(access, signal))?.report.epoch ?? 0
    },
    async publish(report: ObserverReport, signal) {
      const response = await send(access, 'PUT', JSON.stringify(report), signal)
      if (response.status === 409) throw supersededError(access.observer, Number(response.headers.get('x-newest-epoch')))
      if (response.status !== 204) throw refused(access, response.status)
    },
  }
}

/** The newest report that the collector has of this observer; undefined when it has none. */
export async function fetchReport(access: CollectorAccess, signal: AbortSignal): Promise<CollectedReport | undefined> {
  const response = await send(access, 'GET', undefined, signal)
  if (response.status === 404) return undefined
  if (response.status !== 200) throw refused(access, response.status)
  const parsed = collectedReport.safeParse(await response.json().catch(() => undefined))
  if (parsed.success && parsed.data.report.observer === access.observer) return parsed.data
  throw new HoldfastError('storage-failed', {
    message: `what the collector ${access.url} has of ${access.observer} is not a report that this version can read`,
    hint: 'run the same version of Holdfast on every observer, and on the collector',
  })
}

async function send(access: CollectorAccess, method: string, body: string | undefined, signal: AbortSignal): Promise<Response> {
  const { url, observer } = access
  const authorization = `Bearer ${await access.token(signal)}`
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    return await fetch(`${url.replace(/\/+$/, '')}/v1/reports/${observer}`, {
      method,
      redirect: 'error',
      headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.any([signal, timeout]),
    })
  } catch (error) {
    signal.throwIfAborted()
    const because = timeout.aborted
      ? `did not answer within ${timeoutMs} ms`
      : `cannot be reached: ${messageOf(error instanceof Error ? (error.cause ?? error) : error)}`
    throw new HoldfastError('storage-failed', {
      message: `the collector ${url} ${because}`,
      hint: 'look whether `holdfast observe --listen` runs there',
      retryable: true,
      cause: error,
    })
  }
}

function refused({ url, observer }: CollectorAccess, status: number): HoldfastError {
  return status === 401
    ? new HoldfastError('permission-denied', {
        message: `the collector ${url} does not accept the token of observer ${observer}`,
        hint: 'the token must be the same where the collector runs',
      })
    : new HoldfastError('storage-failed', { message: `the collector ${url} answered ${status} for observer ${observer}` })
}
