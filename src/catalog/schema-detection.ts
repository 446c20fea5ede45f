import { z } from 'zod'
import { durationText, observerName, repositoryName, secretRef, setOf, siteName, text } from './fields.ts'
import { probe } from './schema-probe.ts'
import type { KnownParams } from './schema-call.ts'

const report = z
  .strictObject({
    repository: repositoryName
      .describe('It leaves its reports in this repository, sealed. Whoever decides reads them there.')
      .optional(),
    http: z
      .url({ protocol: /^https?$/ })
      .meta({
        expected: 'an http:// or https:// address',
        description: 'It sends its reports to the collector at this address (`holdfast observe --listen`).',
        examples: ['http://127.0.0.1:8710'],
      })
      .optional(),
    token: secretRef.optional(),
  })
  .refine(({ repository, http, token }) => (repository === undefined) === (http !== undefined && token !== undefined))
  .refine(({ http, token }) => (http === undefined) === (token === undefined))
  .meta({
    minProperties: 1,
    expected: 'either a repository, or http with a token',
    description: 'How its reports reach whoever decides.',
    examples: [{ repository: 'offsite' }],
  })

export const observer = z
  .strictObject({
    site: siteName.describe('The failure domain that it runs in: never that of a service it watches.'),
    report,
    reference: probe(
      'Something unrelated that is always up. While the observer does not reach that either, its own network is broken: what it then says of the service does not count.',
    ).optional(),
    description: text.describe('For people.').optional(),
  })
  .describe('A small process at another site (`holdfast observe --as NAME`) that looks whether services are well.')

const claims = z
  .strictObject({
    repository: repositoryName.describe(
      'Where deciders claim an incident: at another site than the services, and the same for all of them.',
    ),
    expire: durationText
      .describe('Another decider takes a claim over that has stood for so long without its run having begun.')
      .default('30s'),
  })
  .describe(
    'How several machines may run `holdfast detect SERVICE --wait --act`: one of them claims an incident before anything is started. Without it, let only one.',
  )

export const detection = (params: KnownParams | undefined) =>
  z
    .strictObject({
      symptoms: z.array(text).min(1).describe('What is seen when it is time for this plan, in words for people.'),
      probes: z
        .array(probe('One way to see whether the services are well.'))
        .min(1)
        .describe('What the observers look at. Default: the `health` of the services that the plan recovers.')
        .optional(),
      failing: z
        .enum(['any', 'all'])
        .describe('Whether the symptoms are there as soon as any probe fails, or only when all do.')
        .default('any'),
      observers: setOf(observerName).min(1).describe('Who looks. Without any, nothing watches for this by itself.').optional(),
      quorum: z
        .string()
        .regex(/^[1-9]\d* of [1-9]\d*$/)
        .refine((quorum) => Number(quorum.split(' ')[0]) <= Number(quorum.split(' ')[2]))
        .meta({
          expected: "'N of M', such as '2 of 3'",
          description: 'How many of how many observers must agree. A silent observer is one of the M, and never of the N.',
          examples: ['2 of 3'],
        })
        .optional(),
      every: durationText.describe('How often each observer looks.').default('5s'),
      for: durationText
        .describe('How long the symptoms must hold without interruption, on each observer that counts. Observers need it.')
        .optional(),
      quiet: durationText
        .describe('After a run of the plan, none is started by itself for so long: no failover on a failover.')
        .default('1h'),
      decide: z
        .enum(['ask', 'auto'])
        .describe('Whether a person decides that the plan runs, or `holdfast detect SERVICE --act` starts it by itself.')
        .default('ask'),
      notify: z
        .array(params?.notify ?? z.record(z.string(), z.unknown()))
        .min(1)
        .describe(
          'Whom `holdfast detect SERVICE --act` tells, once for an incident, that it is down and nothing is started by itself: each a message and a way, as of the action `notify`. What would be lost and what to type follow the message.',
        )
        .optional(),
      claims: claims.optional(),
    })
    .describe('When it is time for this plan. With `observers`, `holdfast detect SERVICE` decides it by quorum.')
