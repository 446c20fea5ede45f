import { done, halfDone, notDone, unknown, type Probe } from '../contract.ts'
import { isEmpty, isStillThere, readMarker } from './marker.ts'

/** How far a restore of this step into the target has come. Half a restore is not done: it is wiped and done again. */
export async function probeRestored(target: string, key: string): Promise<Probe> {
  const marker = await readMarker(target)
  if (marker === undefined || marker.key !== key) return notDone
  if (marker.state === 'restoring') return (await isStillThere({ path: target, folder: marker.folder })) ? halfDone : notDone
  return (await isEmpty(target)) ? unknown(`${target} was restored, and is empty now`) : done(marker.output ?? null)
}
