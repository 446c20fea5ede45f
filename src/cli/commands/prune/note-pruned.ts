import type { PruneReport } from '../../../backup/index.ts'
import { exitCodes, shortId } from '../../../kernel/index.ts'
import type { Context } from '../../context.ts'

/** What must not pass unnoticed, whatever else was done. */
export function notePruned(report: PruneReport, print: Context['print']): void {
  for (const { id, reason } of report.unreadableIndexes)
    print.note(`index ${shortId(id)} cannot be used (${reason}): what it named was looked up in the packs themselves`)
  for (const id of report.undecidedPacks)
    print.note(`pack ${shortId(id)} stays: its own header cannot be read, and an index that cannot be read may have named it`)
  if (report.unreadableIndexes.length > 0) process.exitCode = exitCodes.partlyDone
}
