import { z } from 'zod'
import { durationText, secretRef, text } from './fields.ts'

const timeout = durationText.describe('For one look.').default('10s')

const endpoint = {
  http: z
    .url({ protocol: /^https?$/ })
    .meta({ expected: 'an http:// or https:// address', description: 'An address that answers when it is well.' })
    .optional(),
  status: z.int().min(100).max(599).describe('The status that it answers with. Default: 200.').optional(),
  tcp: z
    .string()
    .regex(/^.+:\d{1,5}$/)
    .meta({ expected: 'HOST:PORT', description: 'HOST:PORT that accepts connections when it is well.' })
    .optional(),
}

export const health = z
  .strictObject({ ...endpoint, timeout })
  .refine(({ http, tcp }) => (http === undefined) !== (tcp === undefined))
  .meta({
    expected: 'exactly one of http and tcp',
    description:
      'How to see from outside that it is well. Observers look there when a plan’s detection names no probes of its own.',
  })

const connectionUrl = z.union([text, secretRef]).meta({
  expected: 'a reference to a connection URL, or a URL without a password in it',
  description: 'The PostgreSQL connection URL, as a secret reference; or in plain text when there is no password in it.',
  examples: [{ env: 'DATABASE_URL' }],
})

const heartbeat = z
  .strictObject({
    sql: text.meta({
      expected: 'a query that gives one time',
      description: 'A query that gives the time of the newest heartbeat. Its age is taken by the server’s own clock.',
      examples: ['select max(at) from heartbeat'],
    }),
    url: connectionUrl,
    maxAge: durationText.describe('It is well while the newest heartbeat is no older than this. None at all is never well.'),
  })
  .describe('A row that is written again and again while all is well.')

const kinds = ['http', 'tcp', 'sql', 'command', 'heartbeat'] as const

/** One way to see whether something is well: that of `health`, and what only an observer can do. */
export function probe(description: string) {
  return z
    .strictObject({
      ...endpoint,
      sql: text
        .describe('A PostgreSQL query that gives a row when it is well; false in the first column of the first row is not well.')
        .optional(),
      url: connectionUrl.optional(),
      command: z
        .array(z.string())
        .min(1)
        .meta({
          expected: 'a list of a program and its arguments',
          description: 'A program and its arguments, run without a shell, that ends with 0 when it is well.',
          examples: [['pg_isready', '-h', 'db.acme.example']],
        })
        .optional(),
      heartbeat: heartbeat.optional(),
      timeout,
    })
    .refine((members) => kinds.filter((kind) => members[kind] !== undefined).length === 1)
    .refine(({ sql, url }) => (sql === undefined) === (url === undefined))
    .refine(({ http, status }) => http !== undefined || status === undefined)
    .meta({
      expected: 'exactly one of http (with status), tcp, sql (with url), command and heartbeat',
      description,
    })
}
