import { z } from 'zod'
import {
  absolutePath,
  durationText,
  entryName,
  planName,
  repositoryName,
  scheduleText,
  secretRef,
  dependencyName,
  setOf,
  siteName,
  text,
} from './fields.ts'
import { chaosRules } from './schema-chaos.ts'
import { acceptedSchema } from './schema-accepted.ts'
import { cluster } from './schema-cluster.ts'
import { observer } from './schema-detection.ts'
import type { KnownParams } from './schema-call.ts'
import { experimentSchema } from './schema-experiment.ts'
import { planSchema } from './schema-plan.ts'
import { strategySchema } from './schema-strategy.ts'
import { postgres } from './schema-postgres.ts'
import { health } from './schema-probe.ts'

const site = z
  .strictObject({
    provider: text.describe('Who runs it: aws, hetzner, our own room, …').optional(),
    region: text.describe('The provider’s name for the place.').optional(),
    description: text.describe('For people.').optional(),
  })
  .meta({
    description: 'A failure domain: a building, a cloud region, an account. What breaks together is one site.',
    examples: [{}],
  })

const repository = z
  .strictObject({
    url: text.meta({
      expected: 'a path or an address',
      description:
        'Where it is: a path (relative to this file), later also s3://, sftp: and rest: addresses. No password in it; the repository has one of its own.',
      examples: ['/mnt/backup/holdfast'],
    }),
    site: siteName.describe('The site that it stands in; a copy counts as off site when it is not that of the service.'),
    media: z
      .enum(['disk', 'object-storage', 'tape', 'removable'])
      .describe('The kind of medium: 3-2-1 wants two.')
      .default('disk'),
    password: secretRef,
    storageClass: text
      .describe('For object storage: the class that objects are stored in. Not acted on by this version.')
      .optional(),
    immutableFor: durationText
      .describe('How long nothing in it can be deleted or changed, by the storage’s own lock. Not acted on by this version.')
      .optional(),
    description: text.describe('For people.').optional(),
  })
  .describe('Where copies live, in the restic repository format: `restic` itself can read it.')

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

const service = z
  .strictObject({
    owner: text.meta({ description: 'The team or person that answers for it.', examples: ['Platform Team'] }),
    onCall: text.meta({ expected: 'text, such as "+1-555-0100"', description: 'How to reach who is on call.' }).optional(),
    tier: z
      .int()
      .min(0)
      .max(9)
      .meta({ expected: 'a whole number from 0 to 9', description: '0 or 1 is the most important.' })
      .optional(),
    site: siteName.describe('The failure domain that it runs in.'),
    description: text.describe('For people.').optional(),
    objectives: z
      .strictObject({
        rpo: durationText.describe('Recovery point objective: the most data, in time, that may be lost.'),
        rto: durationText.describe('Recovery time objective: the longest that it may be down.'),
      })
      .meta({ description: 'How much may be lost, and how long it may be down.', examples: [{ rpo: '5m', rto: '15m' }] }),
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

const external = z
  .strictObject({
    description: text.describe('For people.').optional(),
    contact: text.describe('Whom to ask when it is down.').optional(),
    site: siteName.describe('The failure domain that it stands in, where that is known.').optional(),
    assumed: z
      .strictObject({
        rpo: durationText.describe('The most data, in time, that it is expected to lose.').optional(),
        rto: durationText.describe('The longest that it is expected to be down: its contract, or what it did so far.').optional(),
      })
      .describe('What is believed of it. Nobody here can prove it, so whatever rests on it says that it is assumed.')
      .default({}),
  })
  .meta({
    description: 'Something that services depend on and others run: a payment provider, a name server. It is not recovered here.',
    examples: [{ assumed: { rto: '4h' }, contact: 'https://status.example.com' }],
  })

/** What holdfast.yaml may say. With `actionParams`, steps may use only those actions, with such parameters; with `faultParams`, experiments those faults. */
export function catalogSchema(actionParams?: KnownParams, faultParams?: KnownParams) {
  return z
    .strictObject({
      version: z.literal(1).meta({ expected: '1', description: 'The version of this format.', examples: [1] }),
      name: entryName.meta({ description: 'What this catalog is about: a company, a team, a machine.', examples: ['acme'] }),
      sites: z.record(entryName, site).meta({ description: 'Failure domains, by name.', examples: [{ here: {} }] }),
      repositories: z.record(entryName, repository).describe('Where copies live, by name.').default({}),
      clusters: z.record(entryName, cluster).describe('Kubernetes clusters that plans act on, by name.').default({}),
      currency: text
        .describe('What costs are stated in.')
        .meta({ examples: ['EUR'] })
        .default('USD'),
      strategies: z
        .record(entryName, strategySchema)
        .describe('What strategies promise and cost, by name. Absent: the usual ones with their usual figures.')
        .default({}),
      services: z.record(entryName, service).describe('What must survive, by name.'),
      external: z.record(entryName, external).describe('What services depend on and others run, by name.').default({}),
      observers: z
        .record(entryName, observer)
        .describe('Who looks from elsewhere whether services are well, by name.')
        .default({}),
      plans: z.record(entryName, planSchema(actionParams)).describe('How services come back, by name.').default({}),
      accepted: z.array(acceptedSchema).describe('Weaknesses that were looked at and are lived with for a time.').default([]),
      chaos: chaosRules.describe('When and where nothing is broken on purpose.').prefault({}),
      experiments: z
        .record(entryName, experimentSchema(faultParams))
        .describe('What is broken on purpose, by name: `holdfast chaos run NAME`.')
        .default({}),
    })
    .meta({
      title: 'Holdfast catalog',
      description:
        'holdfast.yaml: which services must survive, how much data and time each may lose, and how it comes back. Keys that begin with x- are ignored: a place for YAML anchors.',
    })
}

/** The file's content, checked, as written; optional members filled in. */
export type CatalogFile = z.output<ReturnType<typeof catalogSchema>>
