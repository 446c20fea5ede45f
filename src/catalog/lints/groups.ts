import { formatDuration } from '../../kernel/index.ts'
import { closestRunsMs, longestGapMs } from '../schedule-gap.ts'
import type { Catalog, Group, Schedule, Service } from '../types.ts'
import type { Lint, LintFinding } from './lint.ts'
import { dependsOnSnapshots } from './schedules.ts'

/** Whether the members of a group can come back to one point. */
export const groupLints: readonly Lint[] = [
  {
    code: 'group-misses-rpo',
    title: 'the backups of a group’s member are further apart than the RPO of the group',
    why: 'All members come back to the point of the worst one, and lose what it loses.',
    mend: 'Back that member up more often, archive its WAL (`wal: stream`), or allow the group to lose more.',
    find: (catalog) =>
      eachScheduled(catalog, ({ group, service, schedule, path }) => {
        const gapMs = longestGapMs(schedule)
        if (gapMs === undefined || gapMs <= group.rpoMs) return []
        const message = `${group.name} may lose ${formatDuration(group.rpoMs)}, and backups of its member ${service.name} are up to ${formatDuration(gapMs)} apart`
        return [{ path, message }]
      }),
  },
  {
    code: 'group-out-of-step',
    title: 'nothing makes the backups of two members of a group fall together',
    why: 'Each comes back to its own backup: what one says of the other is not there, or is there twice.',
    mend: 'Back them up at the same times, archive WAL of one (it goes back to any moment), or allow a wider `spread`.',
    find: (catalog) =>
      eachScheduled(catalog, ({ group, service, schedule, path, before }) => {
        const { spreadMs } = group
        if (spreadMs === undefined) return []
        return before.flatMap((other): LintFinding[] => {
          const apartMs = closestRunsMs(schedule, other.schedule)
          if (apartMs === undefined || apartMs <= spreadMs) return []
          const message = `${group.name} allows ${formatDuration(spreadMs)} between the states of its members, and backups of ${other.service.name} and ${service.name} may never be closer than ${formatDuration(apartMs)}`
          return [{ path, message }]
        })
      }),
  },
]

interface Scheduled {
  readonly service: Service
  readonly schedule: Schedule
}

interface Member extends Scheduled {
  readonly group: Group
  readonly path: LintFinding['path']
  /** Earlier members of the group that are bound to the times of their backups too. */
  readonly before: readonly Scheduled[]
}

/** Members that come back to a backup and to nothing in between. */
function eachScheduled({ groups, services }: Catalog, look: (member: Member) => LintFinding[]): LintFinding[] {
  return Object.values(groups).flatMap((group) => {
    const before: Scheduled[] = []
    return group.members.flatMap((name, index) => {
      const service = services[name]
      const schedule = service?.backup?.schedule
      if (service === undefined || schedule === undefined || !dependsOnSnapshots(service)) return []
      const found = look({ group, service, schedule, path: ['groups', group.name, 'members', index], before: [...before] })
      before.push({ service, schedule })
      return found
    })
  })
}
