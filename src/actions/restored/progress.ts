import type { RestoreProgress } from '../../backup/index.ts'
import { formatSize, shortId } from '../../kernel/index.ts'
import type { Snapshot } from '../../repository/index.ts'
import type { ActionContext } from '../contract.ts'

/** Tells a run how far the restore of a snapshot has come. */
export function restoreProgress(context: ActionContext, { id }: Snapshot): (event: RestoreProgress) => void {
  return ({ bytesDone, bytesTotal }) =>
    context.progress({
      step: context.step,
      text: `${shortId(id)}: ${formatSize(bytesDone)} of ${formatSize(bytesTotal)}`,
      doneBytes: bytesDone,
      totalBytes: bytesTotal,
    })
}
