import { z } from 'zod'
import { chaosEnvironments } from './experiment.ts'
import { durationText, planName, secretRef, serviceName, setOf, text } from './fields.ts'
import { canary } from './schema-canary.ts'
import { callSchema, type KnownParams } from './schema-call.ts'
import { exclusion, timeRanges } from './schema-chaos.ts'

const tolerance = z
  .strictObject({
    equals: z.union([z.string(), z.number(), z.boolean()]).describe('The value is exactly this.').optional(),
    atLeast: z.number().describe('The value is a number, this or more.').optional(),
    atMost: z.number().describe('The value is a number, this or less.').optional(),
    matches: text.describe('A regular expression that matches somewhere in the text.').optional(),
    jsonpath: text
      .describe(
        'A path (RFC 9535) into the text, read as JSON: it finds something; with `equals`, `atLeast` or `atMost`, each of it is so.',
      )
      .optional(),
    count: z.int().min(0).describe('With `jsonpath`: it finds exactly so many.').optional(),
    rate: z.number().gt(0).max(1).describe('The share of all looks of a phase, 0 to 1, for which the rest holds.').optional(),
    percentile: z.number().gt(0).max(100).describe('With `latency`: of the looks of a phase.').optional(),
    latency: durationText.describe('That percentile of the looks is no slower.').optional(),
  })
  .refine((members) => Object.values(members).some((member) => member !== undefined))
  .refine(({ percentile, latency }) => (percentile === undefined) === (latency === undefined))
  .refine(({ jsonpath, count }) => count === undefined || jsonpath !== undefined)
  .refine(({ latency, ...rest }) => latency === undefined || Object.keys(rest).length === 1)
  .meta({
    minProperties: 1,
    expected: 'equals, atLeast, atMost, matches or jsonpath (with count), with a rate or without; or percentile with latency',
    description:
      'How it must be. Absent: status 200, an accepted connection, a row that is not false, exit code 0, at least one process.',
  })

const kinds = ['http', 'tcp', 'sql', 'command', 'process', 'prometheus'] as const

const probe = z
  .strictObject({
    name: text.describe('What it shows, in a word or two.'),
    http: z
      .url({ protocol: /^https?$/ })
      .meta({ expected: 'an http:// or https:// address', description: 'An address. Value: the status. Text: the body.' })
      .optional(),
    headers: z
      .record(z.string(), z.union([z.string(), secretRef]))
      .describe('With `http`: sent with the request.')
      .optional(),
    tcp: z
      .string()
      .regex(/^.+:\d{1,5}$/)
      .meta({ expected: 'HOST:PORT', description: 'HOST:PORT that accepts connections.' })
      .optional(),
    sql: text.describe('A PostgreSQL query. Value: the first column of the first row. Text: all rows as JSON.').optional(),
    url: z.union([text, secretRef]).describe('With `sql`: the connection URL.').optional(),
    command: z
      .array(z.string())
      .min(1)
      .describe('A program and its arguments. Value: the exit code. Text: what it prints.')
      .optional(),
    process: text.describe('A part of command lines. Value: how many processes have it.').optional(),
    prometheus: z.url().describe('The address of a Prometheus. Value: that of the only series.').optional(),
    query: text.describe('With `prometheus`: the query.').optional(),
    timeout: durationText.describe('For one look.').default('5s'),
    expect: tolerance.optional(),
  })
  .refine((members) => kinds.filter((kind) => members[kind] !== undefined).length === 1)
  .refine(({ sql, url }) => (sql === undefined) === (url === undefined))
  .refine(
    ({ prometheus, query, expect }) =>
      (prometheus === undefined) === (query === undefined) && (prometheus === undefined || expect !== undefined),
  )
  .refine(({ http, headers }) => http !== undefined || headers === undefined)
  .meta({
    expected: 'exactly one of http (with headers), tcp, sql (with url), command, process and prometheus (with query and expect)',
    description: 'Something that can be looked at.',
  })

const injection = (faultParams: KnownParams | undefined) =>
  z
    .strictObject({
      inject: callSchema('fault', faultParams, {}, 'One fault with its parameters, as { process.kill: { … } }.'),
      for: durationText.describe('How long it stays before it is taken back.').default('30s'),
      repeat: z
        .strictObject({
          times: z
            .int()
            .min(2)
            .max(1000)
            .meta({ expected: 'a whole number from 2 to 1000', description: 'So many times in all.' }),
          every: durationText.describe('From one injection to the next, or as soon as the one before was taken back.'),
        })
        .describe('More than once.')
        .optional(),
    })
    .describe('Something that is broken.')

const drill = z
  .union([
    planName,
    z.strictObject({
      plan: planName.describe('The plan.'),
      detection: z
        .strictObject({
          by: z
            .enum(['hypothesis', 'observers'])
            .describe('Who notices: the probes of the hypothesis, or the observers of the plan’s own `detection`, by its quorum.')
            .default('hypothesis'),
          for: durationText.describe('By `hypothesis`: in all looks for that long.').default('3s'),
          within: durationText.describe('Nobody noticed by then: the experiment has failed.').default('5m'),
        })
        .describe('How it is noticed.')
        .prefault({}),
    }),
  ])
  .meta({
    expected: 'the name of a plan, or { plan, detection }',
    description:
      'The plan that must bring it back: run for real once somebody has noticed, while the faults are still there. Its recovery time counts from the fault.',
  })

/** A thing that is broken on purpose. With `faultParams`, only by these faults. */
export const experimentSchema = (faultParams: KnownParams | undefined) =>
  z
    .strictObject({
      description: text.describe('For people.').optional(),
      environment: z
        .enum(chaosEnvironments)
        .describe('Where it runs. Beyond dev, the same experiment must have passed in the environment before.')
        .default('dev'),
      services: setOf(serviceName).min(1).describe('The services that it is about.'),
      hypothesis: z
        .strictObject({
          title: text.describe('What must hold, in words.'),
          every: durationText.describe('The cadence of samples.').default('1s'),
          before: durationText.describe('How long it must hold before anything is broken.').default('5s'),
          after: durationText.describe('How long it must hold after the clean-up.').default('5s'),
          probes: z.array(probe).min(1).describe('What is looked at, each in every sample.'),
        })
        .describe('The steady state.'),
      faults: z.array(injection(faultParams)).min(1).describe('What is broken, one after the other.'),
      together: z.boolean().describe('All at once instead.').default(false),
      drill: drill.optional(),
      canary: canary.optional(),
      recoversWithin: durationText
        .describe('The longest that the steady state may be gone. Absent: it must hold all the time.')
        .optional(),
      recoversFrom: z
        .enum(['fault', 'clean-up'])
        .describe('From when that counts: from the fault, or from its end, for what cannot come back before.')
        .default('fault'),
      abort: z
        .array(probe)
        .describe('Looked at in every sample too: one that is not met ends the experiment at once.')
        .default([]),
      limit: durationText.describe('However it goes, it is ended then.').default('15m'),
      blastRadius: z
        .strictObject({
          targets: z.int().min(1).describe('At most so many targets of each fault.').optional(),
          percent: z.number().gt(0).max(100).describe('At most that share of what a fault could have hit.').optional(),
          exclude: exclusion.describe('What it does not touch, besides what `chaos` says for all.').optional(),
        })
        .describe('How much may be hit.')
        .optional(),
      windows: timeRanges.describe('When it may run, and at no other time.').optional(),
      passes: z.int().min(1).describe('How many times it must have passed in the environment before.').default(3),
    })
    .superRefine(({ drill: plan, recoversWithin, recoversFrom, faults, together }, context) => {
      const repeats = faults.some(({ repeat }) => repeat !== undefined)
      const wrong = (message: string) => context.addIssue({ code: 'custom', path: [], message })
      if (plan !== undefined && (recoversWithin === undefined || recoversFrom === 'clean-up'))
        wrong('with a drill it needs recoversWithin, from the fault: that is when the plan must have brought it back')
      if (repeats && (together || plan !== undefined)) wrong('a fault with repeat needs faults one after the other, and no drill')
    })
    .describe('Something that is broken on purpose, and what must hold meanwhile.')
