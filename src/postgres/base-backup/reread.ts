import { messageOf } from '../../kernel/index.ts'
import { openSql } from '../connection/connect.ts'
import { pageChecksum, readPageHeader } from './page-checksum.ts'
import type { DamagedPage, PageLayout } from './page-verifier.ts'

/**
 * Looks again at pages that came with a wrong checksum: a page may have been read while it was being written. One that is right now, or
 * was changed since the backup began, is whole after WAL replay. Gives those that stay damaged. Where the user may not read the server's
 * files, all stay, with the reason why they could not be read again.
 */
export async function stillDamaged(
  url: string,
  suspects: readonly DamagedPage[],
  layout: PageLayout,
  startLsn: bigint,
  signal: AbortSignal,
): Promise<{ damaged: DamagedPage[]; notReread?: string }> {
  if (suspects.length === 0) return { damaged: [] }
  const damaged: DamagedPage[] = []
  await using connection = await openSql(url, {}, signal)
  for (const suspect of suspects) {
    const offset = (suspect.block % layout.pagesPerSegment) * layout.pageBytes
    let hex: string | null | undefined
    try {
      const [row] = await connection.query('select encode(pg_read_binary_file($1, $2, $3, true), $4) as page', [
        suspect.path,
        offset,
        layout.pageBytes,
        'hex',
      ])
      hex = row?.page
    } catch (error) {
      signal.throwIfAborted()
      return { damaged: [...suspects], notReread: messageOf(error) }
    }
    // The relation was dropped or cut short meanwhile: replay does the same.
    if (hex == null || hex.length < layout.pageBytes * 2) continue
    const page = Buffer.from(hex, 'hex')
    const header = readPageHeader(page)
    const whole = header.empty || header.lsn >= startLsn || pageChecksum(page, suspect.block) === header.checksum
    if (!whole) damaged.push(suspect)
  }
  return { damaged }
}
