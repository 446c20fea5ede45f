import { HoldfastError, isHoldfastError } from '../kernel/index.ts'
import type { SealedArea } from '../storage/index.ts'
import { observerReport, type ObserverReport } from './report.ts'
import { supersededError, type Reporter } from './reporter.ts'

/** Reports of an observer that stay: a reader that has just listed them still finds the newest. */
const kept = 4
/** Reports between two looks at what is there: so many more there can be. */
const sweepEvery = 16

/**
 * Reports through a sealed area: one small object for each, `NAME/EPOCH-SEQ`, names written once. Old ones are removed as new ones come: at
 * most 20 are there at a time.
 */
export function createAreaReporter(area: SealedArea, observer: string): Reporter {
  let published = 0
  return {
    newestEpoch: async (signal) => (await names(area, observer, signal)).reduce((most, { epoch }) => Math.max(most, epoch), 0),
    async publish(report, signal) {
      await area.put(nameOf(report), Buffer.from(JSON.stringify(report)), { ifAbsent: true, signal })
      if (published++ % sweepEvery !== 0) return
      const found = await names(area, observer, signal)
      const later = found.find(({ epoch }) => epoch > report.epoch)
      if (later !== undefined) throw supersededError(observer, later.epoch)
      for (const { name } of found.slice(kept)) {
        // A storage that lets go of nothing yet is asked again at the next sweep. The report itself has arrived.
        await area.delete(name, signal).catch(() => signal.throwIfAborted())
      }
    },
  }
}

/** The newest report; undefined when there is none. Throws `object-damaged` for one that is not what its name says. */
export async function readNewestReport(
  area: SealedArea,
  observer: string,
  signal: AbortSignal,
): Promise<ObserverReport | undefined> {
  for (let attempt = 1; ; attempt++) {
    const [newest] = await names(area, observer, signal)
    if (newest === undefined) return undefined
    try {
      return parseReport(await area.get(newest.name, signal), newest.name)
    } catch (error) {
      // Removed since it was listed: newer ones are there.
      if (!isHoldfastError(error, 'object-missing') || attempt === 3) throw error
    }
  }
}

interface ReportName {
  readonly name: string
  readonly epoch: number
  readonly seq: number
}

function nameOf({ observer, epoch, seq }: ObserverReport): string {
  return `${observer}/${String(epoch).padStart(10, '0')}-${String(seq).padStart(12, '0')}`
}

/** Newest first. */
async function names(area: SealedArea, observer: string, signal: AbortSignal): Promise<ReportName[]> {
  const found: ReportName[] = []
  for await (const { name } of area.list(`${observer}/`, signal)) {
    const [, epoch, seq] = /\/(\d{10})-(\d{12})$/.exec(name) ?? []
    if (epoch !== undefined && seq !== undefined) found.push({ name, epoch: Number(epoch), seq: Number(seq) })
  }
  return found.sort((a, b) => b.epoch - a.epoch || b.seq - a.seq)
}

function parseReport(bytes: Uint8Array, name: string): ObserverReport {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    value = undefined
  }
  const parsed = observerReport.safeParse(value)
  if (parsed.success && nameOf(parsed.data) === name) return parsed.data
  throw new HoldfastError('object-damaged', {
    message: `the observation ${name} is not one that this version can read`,
    hint: 'run the same version of Holdfast on every observer',
    details: { object: name },
  })
}
