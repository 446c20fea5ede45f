import { absent, partly, present, type Sight, type TraceContext } from '../contract.ts'
import { markedProcesses } from '../mark.ts'

/**
 * What is seen of sessions that are held. Where nobody gets in to count them, that is the fault, as long as those that hold them live.
 *
 * @param held how many the server has of them
 * @param isTooMany whether an error says that the server takes no more connections
 */
export async function lookAtHeld(
  wanted: number,
  held: () => Promise<number>,
  isTooMany: (error: unknown) => boolean,
  context: TraceContext,
): Promise<Sight> {
  try {
    const count = await held()
    if (count === 0) return absent
    return count >= wanted ? present : partly(`${count} of ${wanted} sessions are held`)
  } catch (error) {
    if (!isTooMany(error)) throw error
    return (await markedProcesses(context.id)).length > 0 ? present : partly('the server has no connection free to look with')
  }
}
