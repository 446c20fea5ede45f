import { z } from 'zod'
import {
  absolutePath,
  dependencyName,
  durationText,
  escalationName,
  planName,
  repositoryName,
  scheduleText,
  setOf,
  siteName,
  text,
} from './fields.ts'
import { serviceEnvironments } from './environment.ts'
import { postgres } from './schema-postgres.ts'
import { health } from './schema-probe.ts'

const files = z
  .strictObject({
    paths: setOf(absolutePath).min(1).describe('Absolute paths of folders and files.'),
    exclude: z.array(text).describe('Patterns to leave out, as restic’s --exclude.').default([]),
    oneFileSystem: z.boolean().describe('Do not cross into other file systems.').default(false),
  })
  .describe('Folders and files.')

const count = z.int().min(1).meta({ expected: 'a whole number, at least 1' })

const keep = z
  .strictObject({
    last: count.describe('The newest N.').optional(),
    hourly: count.describe('The newest of each of the last N hours that have one.').optional(),
    daily: count.describe('The newest of each of the last N days that have one.').optional(),
    weekly: count.describe('The newest of each of the last N weeks that have one.').optional(),
    monthly: count.describe('The newest of each of the last N months that have one.').optional(),
    yearly: count.describe('The newest of each of the last N years that have one.').optional(),
    within: durationText.describe('All that are at most this much older than the newest.').optional(),
  })
  .refine((rules) => Object.keys(rules).length > 0)
  .meta({
    minProperties: 1,
    expected: 'at least one rule, such as { daily: 7, weekly: 5 }',
    description:
      'Which snapshots `holdfast forget --service NAME` keeps; a snapshot that any of these rules keeps is kept. Absent: it refuses.',
  })

const backup = z
  .strictObject({
    schedule: scheduleText
      .describe(
        'When: "daily at 02:00", "every 15m", or a cron expression. This version does not start it by itself: let cron run `holdfast backup`.',
      )
      .optional(),
    full: scheduleText.describe('When a run is a full one; the others are incremental. Not acted on by this version.').optional(),
    to: z
      .union([repositoryName, setOf(repositoryName).min(1)])
      .meta({ expected: 'the name of a repository, or a list of them', description: 'The repositories that it goes to.' }),
    keep: keep.optional(),
    tags: z.array(text).describe('Tags of its snapshots.').default([]),
  })
  .describe('How it is protected.')

const assertion = z
  .strictObject({
    sql: text.describe('A query; the first column of its first row is compared.'),
    database: text.describe('Default: the one of the service’s URL.').optional(),
    atLeast: z.number().describe('The value is this or more.').optional(),
    atMost: z.number().describe('The value is this or less.').optional(),
    equals: z.union([z.string(), z.number(), z.boolean()]).describe('The value is exactly this.').optional(),
  })
  .refine(({ atLeast, atMost, equals }) => (atLeast ?? atMost ?? equals) !== undefined)
  .meta({ expected: 'a comparison: atLeast, atMost or equals', description: 'Something that must be true of the restored data.' })

const verify = z
  .strictObject({
    check: scheduleText.describe('When the repository’s copies are read and checked.').optional(),
    restoreTest: scheduleText.describe('When it is restored to a sandbox, started, and the assertions are run.').optional(),
    assert: z
      .array(assertion)
      .min(1)
      .describe('What must be true of the restored data. An empty list would prove nothing.')
      .optional(),
  })
  .describe('How it is proven that it can come back. Not acted on by this version.')

export const serviceSchema = z
  .strictObject({
    owner: text
      .meta({
        description: 'The team or person that answers for it: an entry of `contacts`, or a name.',
        examples: ['Platform Team'],
      })
      .optional(),
    onCall: text
      .meta({
        expected: 'text, such as "+1-555-0100"',
        description: 'Who is on call: an entry of `contacts`, or how to reach them.',
      })
      .optional(),
    escalation: escalationName.describe('Who is called after whom. Default: that of its tier.').optional(),
    tier: z
      .int()
      .min(0)
      .max(9)
      .meta({
        expected: 'a whole number from 0 to 9',
        description: '0 or 1 is the most important. What it does not declare itself, it has from its entry in `tiers`.',
      })
      .optional(),
    site: siteName.describe('The failure domain that it runs in.'),
    environment: z
      .enum(serviceEnvironments)
      .describe('What it is there for. Absent: production. `--environment` asks for the services of one only.')
      .optional(),
    description: text.describe('For people.').optional(),
    objectives: z
      .strictObject({
        rpo: durationText
          .describe('Recovery point objective: the most data, in time, that may be lost. Default: that of its tier.')
          .optional(),
        rto: durationText
          .describe('Recovery time objective: the longest that it may be down. Default: that of its tier.')
          .optional(),
      })
      .meta({
        description: 'How much may be lost, and how long it may be down. Needed unless its tier has both.',
        examples: [{ rpo: '5m', rto: '15m' }],
      })
      .optional(),
    strategy: text
      .meta({
        expected: 'the name of a strategy',
        description: 'The strategy that was chosen for it: `holdfast strategy recommend` says whether it fits.',
        examples: ['warm-standby'],
      })
      .optional(),
    downtimeCostPerHour: z.number().min(0).describe('What an hour of downtime costs, in your currency.').optional(),
    dataLossCostPerHour: z.number().min(0).describe('What it costs to lose an hour of its data, in your currency.').optional(),
    outagesPerYear: z
      .number()
      .min(0)
      .describe('How many disasters a year are expected: 0.2 is one in five years. `holdfast strategy cost` counts with it.')
      .optional(),
    dependsOn: setOf(dependencyName)
      .describe('Services, and what others run for you (`external`), that must be up before it can be.')
      .default([]),
    data: z
      .strictObject({ postgres: postgres.optional(), files: files.optional() })
      .refine(({ postgres, files }) => (postgres ?? files) !== undefined)
      .meta({
        minProperties: 1,
        expected: 'postgres, files or both',
        description: 'What it must not lose. Absent: it holds no data of its own.',
      })
      .optional(),
    health: health.optional(),
    backup: backup.optional(),
    verify: verify.optional(),
    recovery: planName.describe('The plan that brings it back.').optional(),
  })
  .describe('Something that must survive.')
