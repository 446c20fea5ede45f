import { z } from 'zod'
import { serviceName, setOf } from './fields.ts'
import { weekdays } from './chaos.ts'

export const timeOfDay = z
  .string()
  .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/)
  .meta({ expected: 'a time as HH:MM, in quotes' })

const timeRange = z.strictObject({
  days: setOf(z.enum(weekdays)).min(1).describe('The days on which it begins. Absent: every day.').optional(),
  from: timeOfDay.describe('When it begins.'),
  to: timeOfDay.describe('When it ends; no later than `from`: on the next day.'),
})

export const timeRanges = z.array(timeRange).min(1)

export const timeZone = z.string().refine(isTimeZone).meta({ expected: 'a time zone, such as Europe/Berlin' })

/** What experiments may not touch. */
export const exclusion = z.strictObject({
  services: setOf(serviceName).describe('No experiment names one of these, or anything that they depend on.').default([]),
  labels: z
    .record(z.string(), z.string())
    .describe('Kubernetes objects that carry one of these labels are never a target.')
    .default({}),
})

/** Rules for all experiments of the catalog. */
export const chaosRules = z.strictObject({
  timeZone: timeZone.describe('Of the times here, and of the windows of experiments.').default('UTC'),
  peak: timeRanges.describe('When nothing is broken outside dev, not even in its last minute.').optional(),
  windows: timeRanges.describe('When something may be broken outside dev, and at no other time.').optional(),
  exclude: exclusion.describe('What no experiment touches.').default({ services: [], labels: {} }),
})

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
