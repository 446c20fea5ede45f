import { formatDuration } from '../../kernel/index.ts'
import { holdsData } from '../holds-data.ts'
import { longestGapMs } from '../schedule-gap.ts'
import type { KeepPolicy, Service } from '../types.ts'
import type { Lint } from './lint.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** How often, and for how long: what a schedule and a retention can promise at best. */
export const scheduleLints: readonly Lint[] = [
  {
    code: 'schedule-misses-rpo',
    title: 'backups are further apart than the RPO, and nothing fills the time between them',
    why: 'Just before the next one, as much is lost as lies between two of them, and the time that the backup takes besides.',
    mend: 'Back it up more often, archive WAL (`wal: stream`), or allow it to lose more.',
    find: ({ services }) =>
      Object.values(services).flatMap((service) => {
        const { name, backup, objectives } = service
        const gapMs = backup?.schedule && longestGapMs(backup.schedule)
        if (gapMs === undefined || gapMs <= objectives.rpoMs || !dependsOnSnapshots(service)) return []
        return [
          {
            path: ['services', name, 'backup', 'schedule'],
            message: `${name} may lose ${formatDuration(objectives.rpoMs)}, and its backups are up to ${formatDuration(gapMs)} apart`,
          },
        ]
      }),
  },
  {
    code: 'no-schedule',
    title: 'nothing says when some data is backed up',
    why: 'Nobody notices when it is not: silence is no alarm where nothing was expected.',
    mend: 'Write `backup.schedule`, also where cron or a timer starts it.',
    find: ({ services }) =>
      Object.values(services).flatMap((service) =>
        service.backup !== undefined && service.backup.schedule === undefined && holdsData(service)
          ? [{ path: ['services', service.name, 'backup'], message: `nothing says when ${service.name} is backed up` }]
          : [],
      ),
  },
  {
    code: 'no-retention',
    title: 'nothing says which backups of some data stay',
    why: 'Either all of them, until the disk is full, or those that somebody has not deleted.',
    mend: 'Write `backup.keep`, such as { daily: 7, weekly: 5, monthly: 12 }.',
    find: ({ services }) =>
      Object.values(services).flatMap((service) =>
        service.backup !== undefined && service.backup.keep === undefined && holdsData(service)
          ? [{ path: ['services', service.name, 'backup'], message: `nothing says which backups of ${service.name} stay` }]
          : [],
      ),
  },
  {
    code: 'retention-too-short',
    title: 'backups are kept for a shorter time than it may take to notice that they are no good',
    why: 'Damage, or encryption by others, that began after the last restore test is in every backup by the time of the next one.',
    mend: 'Keep some for longer than lies between two restore tests, or test more often.',
    find: ({ services }) =>
      Object.values(services).flatMap(({ name, backup, verify }) => {
        const noticedMs = verify?.restoreTest && longestGapMs(verify.restoreTest)
        const keptMs = backup?.keep && keptForMs(backup.keep, backup.schedule && longestGapMs(backup.schedule))
        if (noticedMs === undefined || keptMs === undefined || keptMs > noticedMs) return []
        return [
          {
            path: ['services', name, 'backup', 'keep'],
            message: `backups of ${name} are kept for ${formatDuration(keptMs)}, and ${formatDuration(noticedMs)} may lie between two restore tests`,
          },
        ]
      }),
  },
  {
    code: 'immutable-too-short',
    title: 'copies are protected from being deleted for a shorter time than it may take to notice that something is wrong',
    why: 'Who encrypts the data waits until the good copies can be deleted.',
    mend: 'Protect them for longer than lies between two restore tests (`immutableFor`), or test more often.',
    find: ({ services, repositories }) =>
      Object.values(services).flatMap(({ name, backup, verify }) => {
        const noticedMs = verify?.restoreTest && longestGapMs(verify.restoreTest)
        const protectedMs = Math.max(...(backup?.to ?? []).map((copy) => repositories[copy]?.immutableForMs ?? 0))
        if (noticedMs === undefined || protectedMs <= 0 || protectedMs > noticedMs) return []
        const message = `copies of ${name} cannot be deleted for ${formatDuration(protectedMs)}, and ${formatDuration(noticedMs)} may lie between two restore tests`
        return [{ path: ['services', name, 'backup', 'to'], message }]
      }),
  },
  {
    code: 'no-check',
    title: 'nothing says when the copies of some data are read and checked',
    why: 'A disk forgets silently. What a backup cannot give back is found on the day, or by reading it before.',
    mend: 'Write `verify.check`, also where cron or a timer starts `holdfast check`.',
    find: ({ services }) =>
      Object.values(services).flatMap((service) =>
        service.backup !== undefined && holdsData(service) && service.verify?.check === undefined
          ? [{ path: ['services', service.name], message: `nothing says when the copies of ${service.name} are checked` }]
          : [],
      ),
  },
  {
    code: 'nothing-asserted',
    title: 'nothing must be true of a restored database',
    why: 'A server that starts may be empty.',
    mend: 'Write `verify.assert`, such as { sql: "select count(*) from orders", atLeast: 1 }.',
    find: ({ services }) =>
      Object.values(services).flatMap(({ name, data, verify }) =>
        data.postgres !== undefined && verify?.restoreTest !== undefined && verify.assert.length === 0
          ? [{ path: ['services', name, 'verify'], message: `nothing must be true of ${name} when it was restored` }]
          : [],
      ),
  },
  {
    code: 'no-restore-test',
    title: 'nothing says when some data is restored to see whether it can be',
    why: 'A backup that was never restored is a hope.',
    mend: 'Write `verify.restoreTest`, and what must be true of the restored data with `verify.assert`.',
    find: ({ services }) =>
      Object.values(services).flatMap((service) =>
        holdsData(service) && service.verify?.restoreTest === undefined
          ? [{ path: ['services', service.name], message: `nothing says when a restore of ${service.name} is tested` }]
          : [],
      ),
  },
]

/** Where WAL is archived, a database is not bound to the times of its backups; files always are. */
export function dependsOnSnapshots({ data }: Service): boolean {
  return data.files !== undefined || (data.postgres !== undefined && data.postgres.wal === 'none')
}

/** The age that the oldest kept backup reaches at least; undefined when `last` alone decides and nothing says how often there is one. */
function keptForMs(keep: KeepPolicy, gapMs: number | undefined): number | undefined {
  const { last, hourly = 0, daily = 0, weekly = 0, monthly = 0, yearly = 0, withinMs = 0 } = keep
  if (last !== undefined && gapMs === undefined && Object.keys(keep).length === 1) return undefined
  return Math.max(
    (last ?? 0) * (gapMs ?? 0),
    hourly * hourMs,
    daily * dayMs,
    weekly * 7 * dayMs,
    monthly * 28 * dayMs,
    yearly * 365 * dayMs,
    withinMs,
  )
}
