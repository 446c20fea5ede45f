import { HoldfastError } from '../../kernel/index.ts'
import { formatLsn, parseLsn, tryParseLsn, type Lsn } from '../lsn.ts'
import type { WalArchive } from '../wal/contract.ts'
import { recoverableWindow, type BackupPosition, type RecoverableWindow } from '../wal/window.ts'

/** The state to return to. */
export type RecoveryTarget =
  /** The last complete record that is archived. */
  | { readonly kind: 'latest' }
  /** Every transaction that had ended by then, microseconds since 1970; none that ended later. */
  | { readonly kind: 'time'; readonly timeUs: bigint }
  /** Everything written before this position. */
  | { readonly kind: 'lsn'; readonly lsn: Lsn }

/** How PostgreSQL is told to stop. */
export interface RecoveryStop {
  readonly settings: Readonly<Record<string, string>>
  /** Replay must have got here; known beforehand except for a time. */
  readonly lsn: Lsn | undefined
}

/**
 * Reads `latest`, a position (`0/3000148`) or a time with its zone (`2026-11-23T14:05:00Z`, `2026-11-23 14:05:00.5+01:00`). Throws
 * `recovery-target`; a time without a zone is refused, because PostgreSQL would silently take it for another hour.
 */
export function parseRecoveryTarget(text: string): RecoveryTarget {
  const trimmed = text.trim()
  if (trimmed === 'latest') return { kind: 'latest' }
  const lsn = tryParseLsn(trimmed)
  if (lsn !== undefined) return { kind: 'lsn', lsn }
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?$/i.exec(
    trimmed,
  )
  if (match) {
    const [, date = '', time, zone] = match
    if (time === undefined || zone === undefined) {
      throw new HoldfastError('recovery-target', {
        message: `the target time '${text}' has no ${time === undefined ? 'time of day' : 'time zone'}`,
        hint: `write it with its zone: ${date}T${time ?? '00:00:00'}Z for UTC, or with an offset such as +01:00`,
        details: { target: text },
      })
    }
    const timeUs = toMicroseconds(date, time, zone)
    if (timeUs !== undefined) return { kind: 'time', timeUs }
  }
  throw new HoldfastError('recovery-target', {
    message: `'${text}' is not a point to recover to`,
    hint: "write 'latest', a time with its zone (2026-11-23T14:05:00Z), or a WAL position (0/3000148)",
    details: { target: text },
  })
}

function toMicroseconds(date: string, time: string, zone: string): bigint | undefined {
  const [clock = '', fraction = ''] = time.split('.')
  const full = clock.length === 5 ? `${clock}:00` : clock
  const offset = /^(Z|UTC)$/i.test(zone) ? 'Z' : zone.length === 3 ? `${zone}:00` : zone.replace(/^(.\d{2})(\d{2})$/, '$1:$2')
  const ms = Date.parse(`${date}T${full}${offset}`)
  if (Number.isNaN(ms)) return undefined
  // Date.parse turns the 31st of June into the 1st of July.
  const day = new Date(`${date}T00:00:00Z`)
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== date) return undefined
  return BigInt(ms) * 1000n + BigInt(fraction.padEnd(6, '0'))
}

/** ISO 8601 in UTC to the microsecond: `2026-11-23T14:05:00.000001Z`. */
export function formatTimeUs(timeUs: bigint): string {
  const seconds = timeUs / 1_000_000n
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${(timeUs % 1_000_000n).toString().padStart(6, '0')}Z`
}

/** For messages: from when to when, and from where to where. */
export function describeWindow(window: RecoverableWindow): string {
  const { start, end } = window
  const from = start.timeUs === undefined ? formatLsn(start.lsn) : `${formatTimeUs(start.timeUs)} (${formatLsn(start.lsn)})`
  const until = lastTime(window)
  const to = until === undefined ? formatLsn(end.lsn) : `${formatTimeUs(until)} (${formatLsn(end.lsn)})`
  const missing = window.gap ? `, where WAL is missing from ${formatLsn(window.gap.from)}` : ''
  const because = window.endedBy === 'damage' ? ', where WAL is damaged' : missing
  return `from ${from} to ${to}${because} on timeline ${window.history.timeline}`
}

function lastTime({ end }: RecoverableWindow): bigint | undefined {
  if (end.completeUntilUs === undefined) return end.lastCommitUs
  return end.lastCommitUs === undefined || end.completeUntilUs > end.lastCommitUs ? end.completeUntilUs : end.lastCommitUs
}

/**
 * How to stop at the target, if the window has it. Throws `recovery-target`, naming the window, for what lies before or behind it; its
 * details say which (`problem: 'before' | 'behind'`).
 *
 * PostgreSQL ends with an error when it meets the end of WAL before its target. So the last record itself is the target of `latest`, and of a
 * time after the last commit that the archive provably covers: reaching it proves that nothing archived was left out.
 */
export function resolveTarget(window: RecoverableWindow, target: RecoveryTarget): RecoveryStop {
  const { start, end } = window
  const toTheEnd: RecoveryStop =
    end.lastRecord === undefined
      ? { settings: { recovery_target: 'immediate' }, lsn: start.lsn }
      : {
          settings: { recovery_target_lsn: formatLsn(end.lastRecord), recovery_target_inclusive: 'on' },
          lsn: end.lsn,
        }
  if (target.kind === 'latest') return toTheEnd
  if (target.kind === 'lsn') {
    if (target.lsn < start.lsn) throw outside(window, formatLsn(target.lsn), 'before')
    if (target.lsn > end.lsn) throw outside(window, formatLsn(target.lsn), 'behind')
    if (target.lsn === end.lsn) return toTheEnd
    if (target.lsn === start.lsn) return { settings: { recovery_target: 'immediate' }, lsn: start.lsn }
    return {
      settings: { recovery_target_lsn: formatLsn(target.lsn), recovery_target_inclusive: 'off' },
      lsn: target.lsn,
    }
  }
  const asked = formatTimeUs(target.timeUs)
  if (start.timeUs === undefined || target.timeUs < start.timeUs) throw outside(window, asked, 'before')
  if (end.lastCommitUs !== undefined && end.lastRecord !== undefined && target.timeUs < end.lastCommitUs) {
    return {
      settings: { recovery_target_time: asked.replace('T', ' ').replace('Z', '+00'), recovery_target_inclusive: 'on' },
      lsn: undefined,
    }
  }
  if (target.timeUs > (lastTime(window) ?? start.timeUs)) throw outside(window, asked, 'behind')
  return toTheEnd
}

function outside(window: RecoverableWindow, asked: string, problem: 'before' | 'behind'): HoldfastError {
  const range = describeWindow(window)
  return new HoldfastError('recovery-target', {
    message:
      problem === 'before'
        ? `${asked} is before the backup was complete: it can return to any point ${range}`
        : `${asked} is behind what is archived: the backup can return to any point ${range}`,
    hint: problem === 'before' ? 'choose an older backup, or a later point' : "choose an earlier point, or 'latest'",
    details: {
      problem,
      asked,
      startLsn: formatLsn(window.start.lsn),
      endLsn: formatLsn(window.end.lsn),
      ...(window.start.timeUs === undefined ? {} : { startTime: formatTimeUs(window.start.timeUs) }),
      ...(lastTime(window) === undefined ? {} : { endTime: formatTimeUs(lastTime(window) ?? 0n) }),
    },
  })
}

/** A backup's position as its facts say it (`backup.json`). */
export function backupPosition(facts: {
  readonly timeline: number
  readonly startLsn: string
  readonly stopLsn: string
  readonly startTime?: string
}): BackupPosition {
  const started = facts.startTime === undefined ? Number.NaN : Date.parse(facts.startTime)
  return {
    timeline: facts.timeline,
    startLsn: parseLsn(facts.startLsn),
    stopLsn: parseLsn(facts.stopLsn),
    ...(Number.isNaN(started) ? {} : { startedAtUs: BigInt(started) * 1000n }),
  }
}

/**
 * The newest backup that can return to the target. `backups` in any order. Throws what the newest refuses with when the target lies behind
 * it, what the oldest refuses with when it lies before all; `recovery-target` when there is none.
 */
export async function chooseBackup<T extends { readonly position: BackupPosition }>(
  archive: WalArchive,
  backups: readonly T[],
  target: RecoveryTarget,
  options: { readonly timeline?: number } = {},
  signal?: AbortSignal,
): Promise<{ readonly backup: T; readonly window: RecoverableWindow }> {
  let refusal: unknown = new HoldfastError('recovery-target', {
    message: 'there is no backup to recover from',
    hint: 'take one: `holdfast backup`',
  })
  const newestFirst = backups.toSorted((a, b) => (a.position.stopLsn > b.position.stopLsn ? -1 : 1))
  for (const backup of newestFirst) {
    const window = await recoverableWindow(archive, backup.position, options, signal)
    try {
      resolveTarget(window, target)
      return { backup, window }
    } catch (error) {
      refusal = error
      if (error instanceof HoldfastError && error.details.problem === 'before') continue
      throw error
    }
  }
  throw refusal
}
