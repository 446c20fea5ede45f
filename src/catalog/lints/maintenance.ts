import { formatDuration } from '../../kernel/index.ts'
import { isCovered, type MaintenanceWindow } from '../maintenance.ts'
import { runsInYear } from '../schedule-gap.ts'
import { isWithin, minutesLong } from '../time-range.ts'
import type { Schedule } from '../schedule.ts'
import { dependsOnSnapshots } from './schedules.ts'
import type { Lint } from './lint.ts'

const dayMs = 86_400_000
/** The first of January 1970, where runsInYear begins, was a Thursday: 3, with Monday as 0. */
const firstDay = 3

/** What is announced, and what does not go together with it. */
export const maintenanceLints: readonly Lint[] = [
  {
    code: 'schedule-in-maintenance',
    title: 'every run of a schedule falls into announced maintenance of its service',
    why: 'It is made while the service may be down, or half changed: it fails each time, or saves what nobody wants back.',
    mend: 'Move the schedule, or the window. Both are taken to be by the same clock.',
    find: ({ services, maintenance }) =>
      Object.values(services).flatMap((service) => {
        const windows = maintenance.windows.filter((window) => isCovered(window, service))
        const schedules = [
          { path: ['backup', 'schedule'], what: 'backup', schedule: service.backup?.schedule },
          { path: ['verify', 'check'], what: 'check', schedule: service.verify?.check },
          { path: ['verify', 'restoreTest'], what: 'restore test', schedule: service.verify?.restoreTest },
        ]
        return schedules.flatMap(({ path, what, schedule }) =>
          schedule !== undefined && alwaysWithin(schedule, windows)
            ? [
                {
                  path: ['services', service.name, ...path],
                  message: `every ${what} of ${service.name} falls into announced maintenance (${windows.map(({ title }) => title).join(', ')})`,
                },
              ]
            : [],
        )
      }),
  },
  {
    code: 'maintenance-exceeds-rpo',
    title: 'announced maintenance is longer than the RPO of a service that backups alone protect',
    why: 'No backup can be relied on while it lasts: what is changed in it, or was before it, may be lost for longer than is allowed.',
    mend: 'Back it up in the window too, archive WAL, or make the window shorter.',
    find: ({ services, maintenance }) =>
      maintenance.windows.flatMap((window, index) =>
        Object.values(services)
          .filter((service) => isCovered(window, service) && service.backup !== undefined && dependsOnSnapshots(service))
          .flatMap(({ name, objectives }) => {
            const { when } = window
            const longMs = when.kind === 'once' ? when.to.getTime() - when.from.getTime() : minutesLong(when.range) * 60_000
            if (longMs <= objectives.rpoMs) return []
            const message = `${window.title} lasts ${formatDuration(longMs)}, and ${name} may lose ${formatDuration(objectives.rpoMs)}`
            return [{ path: ['maintenance', 'windows', index], message }]
          }),
      ),
  },
]

function alwaysWithin(schedule: Schedule, windows: readonly MaintenanceWindow[]): boolean {
  const ranges = windows.flatMap(({ when }) => (when.kind === 'weekly' ? [when.range] : []))
  if (schedule.kind === 'every' || ranges.length === 0) return false
  const runs = runsInYear(schedule.cron)
  const isIn = (ms: number) => {
    const at = { day: (Math.floor(ms / dayMs) + firstDay) % 7, minute: (ms % dayMs) / 60_000 }
    return ranges.some((range) => isWithin(range, at))
  }
  return runs.length > 0 && runs.every(isIn)
}
