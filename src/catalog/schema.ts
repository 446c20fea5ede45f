import { z } from 'zod'
import { durationText, entryName, hostPattern, secretRef, setOf, siteName, text } from './fields.ts'
import { contactSchema, escalationSchema } from './schema-contact.ts'
import { chaosRules } from './schema-chaos.ts'
import { acceptedSchema } from './schema-accepted.ts'
import { ledgerRules } from './schema-ledger.ts'
import { cluster } from './schema-cluster.ts'
import { includeSchema } from './include.ts'
import { observer } from './schema-detection.ts'
import type { KnownParams } from './schema-call.ts'
import { groupSchema } from './schema-group.ts'
import { experimentSchema } from './schema-experiment.ts'
import { maintenanceSchema } from './schema-maintenance.ts'
import { planSchema } from './schema-plan.ts'
import { strategySchema } from './schema-strategy.ts'
import { tierNumber, tierSchema } from './schema-tier.ts'
import { serviceSchema } from './schema-service.ts'

const site = z
  .strictObject({
    provider: text.describe('Who runs it: aws, hetzner, our own room, …').optional(),
    region: text.describe('The provider’s name for the place.').optional(),
    account: text.describe('The account, subscription or contract that it is under: what is closed or locked as one.').optional(),
    hosts: setOf(hostPattern)
      .describe('Its machines, by name or address; `*.east.example.com` stands for all names below it.')
      .default([]),
    description: text.describe('For people.').optional(),
  })
  .meta({
    description: 'A failure domain: a building, a cloud region, an account. What breaks together is one site.',
    examples: [{}],
  })

const runner = z
  .strictObject({
    site: siteName.describe('The failure domain that it stands in.'),
    description: text.describe('For people.').optional(),
  })
  .describe('A machine that recoveries can be run on: it has the program, the catalog, and the way to the secrets.')

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

const external = z
  .strictObject({
    description: text.describe('For people.').optional(),
    contact: text.describe('Whom to ask when it is down: an entry of `contacts`, or an address.').optional(),
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
      include: includeSchema.optional(),
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
      contacts: z.record(entryName, contactSchema).describe('Who can be called, by name.').default({}),
      escalations: z.record(entryName, escalationSchema).describe('Who is called after whom, by name.').default({}),
      tiers: z
        .record(tierNumber, tierSchema)
        .describe('What services have by their tier, unless they say otherwise. By number: 0 or 1 is the most important.')
        .default({}),
      runners: z.record(entryName, runner).describe('Machines that recoveries can be run on, by name.').default({}),
      services: z.record(entryName, serviceSchema).describe('What must survive, by name.'),
      groups: z
        .record(entryName, groupSchema)
        .describe('Services that must come back to one point in time, by name.')
        .default({}),
      external: z.record(entryName, external).describe('What services depend on and others run, by name.').default({}),
      observers: z
        .record(entryName, observer)
        .describe('Who looks from elsewhere whether services are well, by name.')
        .default({}),
      plans: z.record(entryName, planSchema(actionParams)).describe('How services come back, by name.').default({}),
      accepted: z.array(acceptedSchema).describe('Weaknesses that were looked at and are lived with for a time.').default([]),
      maintenance: maintenanceSchema
        .describe(
          'When services may be down because it was announced: then `detect` starts nothing and tells nobody, and `status` and `doctor` say so.',
        )
        .prefault({}),
      chaos: chaosRules.describe('When and where nothing is broken on purpose.').prefault({}),
      ledger: ledgerRules.describe('Whose evidence counts.').prefault({}),
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
