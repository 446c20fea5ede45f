import { prune, type PruneJob, type PruneReport } from '../../../backup/index.ts'
import { exitCodes, shortId } from '../../../kernel/index.ts'
import type { Context } from '../../context.ts'
import { progressText } from './wording.ts'

/** Prunes with progress, and tells what must not pass unnoticed. The report is the caller's to print. */
export async function runPrune(job: PruneJob, { print, signal }: Context): Promise<PruneReport> {
  const report = await prune(job, (event) => print.progress(event, () => progressText(event)), signal)
  for (const { id, reason } of report.unreadableIndexes)
    print.note(`index ${shortId(id)} cannot be used (${reason}): what it named was looked up in the packs themselves`)
  for (const id of report.undecidedPacks)
    print.note(`pack ${shortId(id)} stays: its own header cannot be read, and an index that cannot be read may have named it`)
  if (report.unreadableIndexes.length > 0) process.exitCode = exitCodes.partlyDone
  return report
}
