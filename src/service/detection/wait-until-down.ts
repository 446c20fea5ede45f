import type { Catalog } from '../../catalog/index.ts'
import { systemClock } from '../../kernel/index.ts'
import { detect, type Detection } from './detect.ts'
import type { ReportReader } from './read-reports.ts'
import type { WatchedService } from './watched-plan.ts'

const longestPauseMs = 5000
/** Once somebody sees it, every moment counts. */
const suspectedPauseMs = 1000

/** Judges again and again until it is down and no announced maintenance is the reason, or the time is up; gives the last judgement. */
export async function waitUntilDown(
  catalog: Catalog,
  watched: WatchedService,
  reader: ReportReader,
  {
    timeoutMs = Number.POSITIVE_INFINITY,
    onLook,
  }: { readonly timeoutMs?: number | undefined; readonly onLook: (found: Detection) => Promise<void> },
  signal: AbortSignal,
): Promise<Detection> {
  const endMs = systemClock.monotonicMs() + timeoutMs
  for (;;) {
    const found = await detect(catalog, watched, reader, signal)
    await onLook(found)
    const isOutage = found.verdict === 'down' && found.excusedUntil === undefined
    if (isOutage || systemClock.monotonicMs() >= endMs) return found
    const { everyMs } = watched.watch
    const pauseMs = found.verdict === 'suspected' ? Math.min(everyMs / 4, suspectedPauseMs) : Math.min(everyMs, longestPauseMs)
    await systemClock.sleep(pauseMs, signal)
  }
}
