import { HoldfastError } from '../kernel/index.ts'
import type { Nanoseconds } from '../repository/index.ts'

const isoDate = /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)/
const dottedDate = /^(?<day>\d\d)\.(?<month>\d\d)\.(?<year>\d{4})/
const clock =
  /^(?:[ T](?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:\.(?<fraction>\d{1,9}))?)?(?: ?(?<zone>Z|UTC|[+-]\d\d:?\d\d))?)?$/

/**
 * A moment as restic reads it: `2026-11-27`, `2026-11-27 14:30`, `2026-11-27 14:30:00`, with a zone behind it (`Z`, `+0100`) or in the
 * local one; also `27.11.2026`. Throws `usage`.
 */
export function parseTimeArgument(text: string): Nanoseconds {
  const date = isoDate.exec(text) ?? dottedDate.exec(text)
  const time = date === null ? null : clock.exec(text.slice(date[0].length))
  const ns = date?.groups && time ? momentOf(date.groups, time.groups ?? {}) : undefined
  if (ns !== undefined) return ns
  throw new HoldfastError('usage', {
    message: `'${text}' is not a date or time`,
    hint: "write it like '2026-11-27', '2026-11-27 14:30' or '2026-11-27 14:30:00 +0100'",
  })
}

type Groups = Readonly<Record<string, string | undefined>>

function momentOf(date: Groups, time: Groups): Nanoseconds | undefined {
  const number = (text: string | undefined) => Number(text ?? 0)
  const [year, month, day] = [number(date.year), number(date.month), number(date.day)]
  const [hour, minute, second] = [number(time.hour), number(time.minute), number(time.second)]
  const wall = new Date(0)
  wall.setUTCFullYear(year, month - 1, day)
  wall.setUTCHours(hour, minute, second)
  // The 31st of February is none.
  if (wall.getUTCMonth() !== month - 1 || wall.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59) return undefined
  const ms = time.zone === undefined ? localMs(wall) : wall.getTime() - zoneMs(time.zone)
  return BigInt(ms) * 1_000_000n + BigInt((time.fraction ?? '').padEnd(9, '0'))
}

/** The instant at which the local clocks show this. */
function localMs(wall: Date): number {
  const local = new Date(0)
  local.setFullYear(wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate())
  local.setHours(wall.getUTCHours(), wall.getUTCMinutes(), wall.getUTCSeconds())
  return local.getTime()
}

function zoneMs(zone: string): number {
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(zone)
  if (!match) return 0
  const ms = (Number(match[2]) * 60 + Number(match[3])) * 60_000
  return match[1] === '-' ? -ms : ms
}
