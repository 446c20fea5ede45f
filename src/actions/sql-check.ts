import { z } from 'zod'
import { HoldfastError, quote } from '../kernel/index.ts'
import { describeUrl, openSql } from '../postgres/index.ts'
import { defineAction } from './define-action.ts'
import { textOrSecret } from './param-types.ts'
import { reachOfUrl } from './reach.ts'

const params = z
  .strictObject({
    url: textOrSecret.describe(
      'Where to ask: a connection URL, an output such as ${steps.start.url}, or a secret that holds one.',
    ),
    sql: z
      .string()
      .min(1)
      .describe('A query, run read-only. The first column of its first row is compared; no row, or null, fails.'),
    equals: z.union([z.string(), z.number(), z.boolean()]).describe('What it must be.').optional(),
    atLeast: z.number().describe('The least it may be.').optional(),
    atMost: z.number().describe('The most it may be.').optional(),
  })
  .refine(({ equals, atLeast, atMost }) => equals !== undefined || atLeast !== undefined || atMost !== undefined, {
    message: "a check needs an expectation: 'equals', 'atLeast' or 'atMost'",
  })

type Params = z.infer<typeof params>

/** Asserts one value of one query, in a read-only transaction. No row, or null, is a failure: nothing was seen to be right. */
export const sqlCheck = defineAction<Params>({
  kind: 'sql.check',
  description:
    'Asserts one value of one query, in a read-only transaction of PostgreSQL. No row, or null, is a failure: nothing was seen to be right. Output: `value`.',
  example: { url: '${steps.start.url}', sql: 'select count(*) from orders', atLeast: 1 },
  effect: 'read-only',
  params,

  async run({ url, sql, ...expected }, context, { signal }) {
    const resolved = typeof url === 'string' ? url : (await context.resolveSecret(url, signal)).reveal()
    await using connection = await openSql(resolved, { applicationName: 'holdfast sql.check' }, signal)
    await connection.query('begin transaction read only')
    const [row] = await connection.query(sql)
    await connection.query('rollback')
    const value = row === undefined ? undefined : Object.values(row)[0]
    if (value === undefined) throw failed(resolved, sql, 'gave no row')
    if (value === null) throw failed(resolved, sql, 'gave null')
    const problem = compare(value, expected)
    if (problem !== undefined) throw failed(resolved, sql, `gave ${value}, ${problem}`)
    return { value }
  },

  reach: ({ url }) => reachOfUrl(url),

  // The URL itself may hold a password.
  manual: ({ sql }) => [`psql "$DATABASE_URL" -At -c ${quote(sql)}`],
})

/** Undefined when the value, PostgreSQL's text, is as expected. */
function compare(value: string, { equals, atLeast, atMost }: Pick<Params, 'equals' | 'atLeast' | 'atMost'>): string | undefined {
  if (typeof equals === 'boolean' && value !== (equals ? 't' : 'f')) return `not ${equals}`
  if (typeof equals === 'string' && value !== equals) return `not ${equals}`
  const number = Number(value)
  if (
    (typeof equals === 'number' || atLeast !== undefined || atMost !== undefined) &&
    (value.trim() === '' || Number.isNaN(number))
  ) {
    return 'which is not a number'
  }
  if (typeof equals === 'number' && number !== equals) return `not ${equals}`
  if (atLeast !== undefined && number < atLeast) return `less than ${atLeast}`
  if (atMost !== undefined && number > atMost) return `more than ${atMost}`
  return undefined
}

function failed(url: string, sql: string, what: string): HoldfastError {
  return new HoldfastError('command-failed', {
    message: `${describeUrl(url)}: \`${sql}\` ${what}`,
    retryable: true,
    details: { server: describeUrl(url), sql },
  })
}
