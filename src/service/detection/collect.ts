import { resolveSecret, type Catalog } from '../../catalog/index.ts'
import { openCollector, type ObserverReport } from '../../detection/index.ts'
import { HoldfastError, systemClock } from '../../kernel/index.ts'

export type CollectorEvent =
  | { readonly type: 'collecting'; readonly url: string; readonly observers: readonly string[] }
  | { readonly type: 'report-received'; readonly observer: string; readonly epoch: number; readonly seq: number }

/** Collects the reports of the observers that report over http, until the signal aborts. Throws `usage` when there are none. */
export async function runCollector(
  catalog: Catalog,
  { host, port }: { readonly host: string; readonly port: number },
  onEvent: (event: CollectorEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const tokens = new Map<string, string>()
  for (const { name, report } of Object.values(catalog.observers)) {
    if (report.kind === 'http') tokens.set(name, (await resolveSecret(report.token, signal)).reveal())
  }
  if (tokens.size === 0) {
    throw new HoldfastError('usage', {
      message: 'no observer of the catalog reports over http',
      hint: 'write `report: { http: URL, token: { env: NAME } }` under an observer',
    })
  }
  const onReport = ({ observer, epoch, seq }: ObserverReport) => onEvent({ type: 'report-received', observer, epoch, seq })
  await using collector = await openCollector({ host, port, tokens, clock: systemClock, onReport })
  onEvent({ type: 'collecting', url: collector.url, observers: [...tokens.keys()] })
  const { promise: stopped, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  if (!signal.aborted) await stopped
}
