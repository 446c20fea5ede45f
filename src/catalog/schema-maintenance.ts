import { z } from 'zod'
import { serviceEnvironments } from './environment.ts'
import { serviceName, setOf, siteName, text } from './fields.ts'
import { timeOfDay, timeZone } from './schema-chaos.ts'
import { weekdays } from './chaos.ts'
import { longestMinutes } from './time-range.ts'

const instant = z.iso.datetime({ offset: true }).meta({ expected: 'a time with its zone, such as 2026-12-05T20:00:00Z' })

const window = z
  .strictObject({
    title: text.describe('What is done, for people.'),
    services: setOf(serviceName).describe('Which services may be down.').default([]),
    sites: setOf(siteName).describe('All services of these sites may be down.').default([]),
    environments: setOf(z.enum(serviceEnvironments)).describe('All services of these environments may be down.').default([]),
    days: setOf(z.enum(weekdays))
      .min(1)
      .describe('Of one that comes back: the days on which it begins. Absent: every day.')
      .optional(),
    from: timeOfDay.describe('Of one that comes back: when it begins.').optional(),
    to: timeOfDay.describe('Of one that comes back: when it ends; no later than `from`: on the next day.').optional(),
    begins: instant.describe('Of one that comes once: when it begins.').optional(),
    ends: instant.describe('Of one that comes once: when it ends.').optional(),
  })
  .refine(({ services, sites, environments }) => services.length + sites.length + environments.length > 0, {
    message: 'of whom',
  })
  .refine(({ days, from, to, begins, ends }) => {
    const [comesBack, comesOnce] = [
      [from, to],
      [begins, ends],
    ].map((times) => times.filter((time) => time !== undefined).length)
    if (comesBack === 2) return comesOnce === 0
    return comesBack === 0 && days === undefined && comesOnce === 2 && Date.parse(begins ?? '') < Date.parse(ends ?? '')
  })
  .refine(
    ({ days, from, to }) =>
      from === undefined || to === undefined || longestMinutes({ from, to, ...(days && { days }) }) < Infinity,
    {
      message: 'it would never end: leave out a day, or let it end earlier than it begins',
    },
  )
  .meta({
    expected:
      'services, sites or environments, with from and to (HH:MM), or with begins and, later, ends (a day and a time with its zone)',
    description: 'A time that is announced, in which some services may be down.',
    examples: [{ title: 'kernel updates', sites: ['east'], days: ['sun'], from: '02:00', to: '04:00' }],
  })

/** When services are down on purpose. */
export const maintenanceSchema = z.strictObject({
  timeZone: timeZone.describe('Of the windows that come back.').default('UTC'),
  windows: z.array(window).describe('What is announced.').default([]),
})
