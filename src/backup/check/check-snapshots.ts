import { isHoldfastError, messageOf } from '../../kernel/index.ts'
import { isFutureDated } from '../../repository/index.ts'
import type { CheckState } from './state.ts'

/** Reads every snapshot that was listed. None at all is a finding: whoever checks expects something to be there. */
export async function checkSnapshots(state: CheckState, ids: readonly string[]): Promise<void> {
  const { repository, signal, findings, snapshots } = state
  for (const snapshot of ids) {
    try {
      const read = await repository.readSnapshot(snapshot, signal)
      snapshots.push(read)
      if (isFutureDated(read, Date.now()))
        findings.push({ severity: 'error', code: 'snapshot-in-future', snapshot, time: read.time })
    } catch (error) {
      // Forgotten since it was listed.
      if (isHoldfastError(error, 'object-missing')) continue
      if (!isHoldfastError(error, 'object-damaged')) throw error
      findings.push({ severity: 'error', code: 'snapshot-unreadable', snapshot, reason: messageOf(error) })
    }
  }
  // What is lost is told in the order of time.
  snapshots.sort((a, b) => a.timeMs - b.timeMs)
  if (ids.length === 0) findings.push({ severity: 'error', code: 'nothing-checked', what: 'snapshots' })
}
