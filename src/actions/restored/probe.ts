import { done, notDone, unknown, type Probe } from '../contract.ts'
import { isEmpty, readMarker } from './marker.ts'

/** How far a restore of this step into the target has come. Half a restore is not done: it is wiped and done again. */
export async function probeRestored(target: string, key: string): Promise<Probe> {
  const marker = await readMarker(target)
  if (marker === undefined || marker.key !== key) return notDone
  if (marker.state === 'restoring') return notDone
  return (await isEmpty(target)) ? unknown(`${target} was restored, and is empty now`) : done(marker.output ?? null)
}
