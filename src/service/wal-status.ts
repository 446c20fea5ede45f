import { isHoldfastError } from '../kernel/index.ts'
import {
  abandonedWal,
  findGaps,
  formatLsn,
  formatTimeUs,
  joinRanges,
  openSql,
  openWalArchive,
  timelineEnd,
  type WalArchiveContents,
} from '../postgres/index.ts'
import { openReception, type ReceptionRequest } from './receive-wal.ts'

export interface WalTimelineReport {
  readonly timeline: number
  readonly from: string
  readonly to: string
  readonly bytes: number
  readonly objects: number
  /** All that the server had committed by then is here. */
  readonly completeUntil?: string
  readonly gaps: readonly { readonly from: string; readonly to: string }[]
  /** WAL behind the place where the newest timeline's line left this one: an old primary's, of no use to the new one. */
  readonly abandoned?: { readonly from: string; readonly to: string }
}

export interface WalArchiveReport {
  readonly systemIdentifier: string
  readonly storedBytes: number
  readonly timelines: readonly WalTimelineReport[]
}

/** What the server says about the receiver. */
export type SlotReport =
  | {
      readonly slot: string
      readonly state: 'streaming' | 'unused' | 'lost' | 'missing'
      /** WAL that the server keeps for it. */
      readonly keptBytes?: number
      readonly systemIdentifier: string
      /** Commits wait for it. With state `unused` they hang. */
      readonly synchronous: boolean
    }
  | { readonly slot: string; readonly state: 'unreachable'; readonly because: string }

export interface WalStatus {
  readonly repository: string
  readonly server: SlotReport
  readonly archives: readonly WalArchiveReport[]
}

/** Looks at both ends of the reception of WAL: the server's slot, and every archive of WAL in the repository. */
export async function walStatus(request: ReceptionRequest, signal?: AbortSignal): Promise<WalStatus> {
  await using reception = await openReception(request, signal)
  const { repository, url, slot } = reception
  const area = repository.area('holdfast/wal')
  const identifiers = new Set<string>()
  for await (const { name } of area.list('', signal)) identifiers.add(name.split('/')[0] ?? '')
  const archives: WalArchiveReport[] = []
  for (const systemIdentifier of identifiers) {
    const archive = openWalArchive(area, systemIdentifier)
    const contents = await archive.contents(signal)
    const newest = contents.histories.at(-1)
    const history = newest === undefined ? undefined : await archive.history(newest, signal)
    const abandoned = history ? abandonedWal(history, contents.ranges) : []
    const timelines: WalTimelineReport[] = []
    for (const timeline of new Set(contents.ranges.map((range) => range.timeline))) {
      const end = await timelineEnd(archive, timeline, contents, signal)
      const past = abandoned.find((range) => range.timeline === timeline)
      timelines.push({
        ...extent(contents, timeline),
        ...(end?.completeUntilUs === undefined ? {} : { completeUntil: formatTimeUs(end.completeUntilUs) }),
        ...(past ? { abandoned: { from: formatLsn(past.start), to: formatLsn(past.end) } } : {}),
      })
    }
    archives.push({ systemIdentifier, storedBytes: contents.storedBytes, timelines })
  }
  return { repository: repository.location, server: await slotReport(url, slot, signal), archives }
}

function extent({ ranges }: WalArchiveContents, timeline: number): WalTimelineReport {
  const own = ranges.filter((range) => range.timeline === timeline)
  const joined = joinRanges(own)
  return {
    timeline,
    from: formatLsn(joined[0]?.start ?? 0n),
    to: formatLsn(joined.at(-1)?.end ?? 0n),
    bytes: joined.reduce((sum, range) => sum + Number(range.end - range.start), 0),
    objects: own.length,
    gaps: findGaps(own).map(({ from, to }) => ({ from: formatLsn(from), to: formatLsn(to ?? from) })),
  }
}

const slotQuery = `
  select (select system_identifier::text from pg_control_system()) as system_identifier,
         slot.active, slot.wal_status,
         case when slot.restart_lsn is null or pg_is_in_recovery() then null
              else pg_wal_lsn_diff(pg_current_wal_lsn(), slot.restart_lsn)::text end as kept,
         current_setting('synchronous_standby_names') as names
    from (select 1) one left join pg_replication_slots slot on slot.slot_name = $1`

async function slotReport(url: string, slot: string, signal?: AbortSignal): Promise<SlotReport> {
  try {
    await using connection = await openSql(url, {}, signal)
    const [row] = await connection.query(slotQuery, [slot])
    const lost = row?.wal_status === 'lost'
    return {
      slot,
      state: row?.active === null ? 'missing' : lost ? 'lost' : row?.active === 't' ? 'streaming' : 'unused',
      ...(row?.kept ? { keptBytes: Number(row.kept) } : {}),
      systemIdentifier: row?.system_identifier ?? '',
      synchronous: namesStandby(row?.names ?? '', slot),
    }
  } catch (error) {
    signal?.throwIfAborted()
    if (!isHoldfastError(error)) throw error
    return { slot, state: 'unreachable', because: error.message }
  }
}

/** Whether synchronous_standby_names names it, or everybody (`*`). */
function namesStandby(names: string, standby: string): boolean {
  const words = [...names.matchAll(/"((?:[^"]|"")*)"|([^\s,()"]+)/g)].map((match) => match[1]?.replaceAll('""', '"') ?? match[2])
  return words.includes('*') || words.some((word) => word?.toLowerCase() === standby.toLowerCase())
}
