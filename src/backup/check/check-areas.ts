import { isHoldfastError, messageOf } from '../../kernel/index.ts'
import { objectLabel } from '../../storage/index.ts'
import type { CheckState } from './state.ts'

const areas = ['holdfast/wal', 'holdfast/ledger', 'holdfast/catalog'] as const

/** Reads every object that Holdfast keeps beside the snapshots: WAL that does not authenticate is found now, not when it is needed. */
export async function checkAreas(state: CheckState): Promise<void> {
  const { repository, progress, signal, findings, counts } = state
  for (const kind of areas) {
    const area = repository.area(kind)
    const listed = await Array.fromAsync(area.list('', signal))
    for (const [done, { name, sizeBytes }] of listed.entries()) {
      progress({ type: 'check', phase: 'areas', done, total: listed.length })
      try {
        await area.get(name, signal)
        counts.areaObjects++
        counts.readBytes += sizeBytes
      } catch (error) {
        // Removed by its owner since it was listed.
        if (isHoldfastError(error, 'object-missing')) continue
        if (!isHoldfastError(error, 'object-damaged')) throw error
        counts.areaObjects++
        findings.push({
          severity: 'error',
          code: 'area-object-damaged',
          object: objectLabel(kind, name),
          reason: messageOf(error),
        })
      }
    }
  }
}
