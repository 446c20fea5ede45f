import { z } from 'zod'
import { durationText, secretRef, text } from './fields.ts'

const url = z.union([text, secretRef])
const program = z.array(z.string()).min(1)

/** Numbered rows that are written while an experiment runs. */
export const canary = z
  .strictObject({
    url: url.describe('A PostgreSQL connection URL: rows are written there.').optional(),
    table: z
      .string()
      .regex(/^[a-z_][a-z0-9_]{0,62}(?:\.[a-z_][a-z0-9_]{0,62})?$/)
      .meta({
        expected: 'NAME or SCHEMA.NAME, of lower-case letters, digits and underscores',
        description:
          'With `url`: the table, made where there is none. Its rows carry the run’s name, and are removed at the end.',
      })
      .optional(),
    readUrl: url
      .describe('With `url`: where the rows are looked for at the end, such as what takes over. Default: `url`.')
      .optional(),
    write: program
      .describe(
        'Instead of `url`: a program that makes the row HOLDFAST_CANARY_SEQ of HOLDFAST_CANARY_RUN durable, and ends with 0 then.',
      )
      .optional(),
    read: program
      .describe('With `write`: a program that prints the numbers of the run’s rows that are there, one a line.')
      .optional(),
    every: durationText.describe('The cadence of rows; one waits for the one before.').default('100ms'),
    timeout: durationText.describe('For one row, and for reading them back.').default('5s'),
    losesAtMost: durationText
      .describe('The most, in time, that may be lost: more is a failure. 0s: no acknowledged row. Absent: it is only measured.')
      .optional(),
  })
  .refine(({ url: at, table, readUrl, write, read }) =>
    at === undefined
      ? table === undefined && readUrl === undefined && write !== undefined && read !== undefined
      : table !== undefined && write === undefined && read === undefined,
  )
  .meta({
    expected: 'url with table (and readUrl), or write with read',
    description:
      'Numbered rows, written all the time: those that were acknowledged and are not there at the end are the data that was lost (RPA).',
  })
