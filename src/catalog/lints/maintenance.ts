import { formatDuration } from '../../kernel/index.ts'
import { isCovered, type MaintenanceWindow } from '../maintenance.ts'
import { runsInYear } from '../schedule-gap.ts'
import { isWithin, longestMinutes } from '../time-range.ts'
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
        return schedules.flatMap(({ path, what, schedule }) => {
          const always = schedule === undefined ? [] : alwaysWithin(schedule, windows)
          if (always.length === 0) return []
          const message = `every ${what} of ${service.name} falls into announced maintenance (${always.map(({ title }) => title).join(', ')})`
          return [{ path: ['services', service.name, ...path], message }]
        })
      }),
  },
  {
    code: 'maintenance-exceeds-rpo',
    title: 'announced maintenance is longer than the RPO of a service that backups alone protect',
    why: 'No backup can be relied on while it lasts: what is changed in it, or was before it, may be lost for longer than is allowed.',
    mend: 'Back it up in the window too, archive WAL, or make the window shorter.',
    find: ({ services, maintenance }, now) =>
      maintenance.windows.flatMap((window, index) => {
        const longMs = lastsMs(window, now)
        return Object.values(services)
          .filter((service) => isCovered(window, service) && service.backup !== undefined && dependsOnSnapshots(service))
          .filter(({ objectives }) => longMs > objectives.rpoMs)
          .map(({ name, objectives }) => ({
            path: ['maintenance', 'windows', index],
            message: `${window.title} lasts ${formatDuration(longMs)}, and ${name} may lose ${formatDuration(objectives.rpoMs)}`,
          }))
      }),
  },
]

/** How long it goes on at a time; nothing where it came once and is over. */
function lastsMs({ when }: MaintenanceWindow, now: Date): number {
  if (when.kind === 'weekly') return longestMinutes(when.range) * 60_000
  return when.to <= now ? 0 : when.to.getTime() - when.from.getTime()
}

/** The windows that come back into which runs fall, where every run falls into one; else none. */
function alwaysWithin(schedule: Schedule, windows: readonly MaintenanceWindow[]): readonly MaintenanceWindow[] {
  if (schedule.kind === 'every') return []
  const hit = new Set<MaintenanceWindow>()
  for (const ms of runsInYear(schedule.cron)) {
    const at = { day: (Math.floor(ms / dayMs) + firstDay) % 7, minute: (ms % dayMs) / 60_000 }
    const around = windows.filter(({ when }) => when.kind === 'weekly' && isWithin(when.range, at))
    if (around.length === 0) return []
    for (const window of around) hit.add(window)
  }
  return [...hit]
}
