import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Catalog } from '../../catalog/index.ts'
import { messageOf, systemCode, type Json } from '../../kernel/index.ts'
import type { EvidenceBody } from '../../ledger/index.ts'
import { placeAsJson, recordedPlace, recordOnce, type RecordPlace } from '../record-once.ts'
import { chaosFolders } from './folders.ts'
import { addToHistory, readHistory, type HistoryEntry } from './history.ts'

export type Recorded = { readonly ledger: readonly RecordPlace[] } | { readonly unrecorded: string }

/** How long all of it may take: what could not be put there is tried again after the next run. */
const limitMs = 120_000

/**
 * Puts the runs of experiments that are not on record yet into the ledgers of their services' repositories: one that just ended, and those
 * whose repository could not be reached, or whose process died, before. Gives, for each of them that there was time for, where it is
 * by now, or why it is not on record: what one was kept in may be damaged, and that holds up no other.
 */
export async function recordExperiments(catalog: Catalog): Promise<ReadonlyMap<string, Recorded>> {
  const entries = await readHistory(catalog.file)
  const complete = new Set(entries.flatMap((each) => (each.type === 'recorded' && each.complete ? [each.runId] : [])))
  // The newest first: it is the one that somebody waits for, and older ones may wait for a repository that is gone for good.
  const open = entries.flatMap((each) => (each.type === 'ended' && !complete.has(each.runId) ? [each.runId] : [])).toReversed()
  const signal = AbortSignal.timeout(limitMs)
  const found = new Map<string, Recorded>()
  for (const runId of open) {
    try {
      const body = await recordOf(catalog.file, runId)
      if (body === undefined) continue
      const places = await recordRun(catalog, body, knownPlaces(entries, runId), signal)
      found.set(runId, { ledger: places })
      // A service that the catalog does not name for now may come back.
      const isComplete =
        body.services.every((name) => Object.hasOwn(catalog.services, name)) && places.every((place) => 'seq' in place)
      await addToHistory(catalog.file, {
        type: 'recorded',
        runId,
        at: new Date().toISOString(),
        complete: isComplete,
        places: places.map(placeAsJson),
      })
    } catch (error) {
      if (signal.aborted) return found
      found.set(runId, { unrecorded: messageOf(error) })
    }
  }
  return found
}

async function recordRun(
  catalog: Catalog,
  body: EvidenceBody<'experiment'>,
  known: readonly RecordPlace[],
  signal: AbortSignal,
): Promise<readonly RecordPlace[]> {
  const places: RecordPlace[] = []
  for (const name of body.services) {
    const service = catalog.services[name]
    if (service !== undefined) places.push(...(await recordOnce(catalog, { kind: 'experiment', service, body, known }, signal)))
  }
  return places
}

/** Where earlier tries have put it. */
function knownPlaces(entries: readonly HistoryEntry[], runId: string): RecordPlace[] {
  const places = entries.flatMap((each) => (each.type === 'recorded' && each.runId === runId ? each.places : []))
  return places.flatMap((place) => {
    const parsed = recordedPlace.safeParse(place)
    return parsed.success ? [parsed.data] : []
  })
}

/** As it was written when the run ended; undefined for a run of a version that wrote none, or whose file is gone. */
async function recordOf(catalogPath: string, runId: string): Promise<EvidenceBody<'experiment'> | undefined> {
  try {
    const text = await readFile(join(chaosFolders(catalogPath).runs, `${runId}.json`), 'utf8')
    return (JSON.parse(text) as { readonly record?: EvidenceBody<'experiment'> }).record
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** For programs. */
export function placesAsJson(places: readonly RecordPlace[]): Json[] {
  return places.map(placeAsJson)
}
