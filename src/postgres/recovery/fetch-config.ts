import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { HoldfastError, messageOf } from '../../kernel/index.ts'

/** What fetching WAL needs when nobody else is there any more: where the repository is, and where its password is, never the password. */
export const fetchConfigSchema = z.strictObject({
  version: z.literal(1),
  systemIdentifier: z.string().regex(/^\d{1,20}$/),
  repository: z.strictObject({
    location: z.string(),
    password: z.union([
      z.strictObject({ env: z.string() }),
      z.strictObject({ file: z.string() }),
      z.strictObject({ command: z.tuple([z.string()], z.string()) }),
    ]),
  }),
  /** The target lies before damage, in the same segment. */
  untilDamage: z.boolean().optional(),
})

export type FetchConfig = z.output<typeof fetchConfigSchema>

/** Reads the file that `createFetcher` wrote. Throws `usage`. */
export async function readFetchConfig(path: string): Promise<FetchConfig> {
  try {
    return fetchConfigSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    throw new HoldfastError('usage', {
      message: `${path} does not say where to fetch WAL from: ${messageOf(error)}`,
      hint: 'it is written when a recovery is prepared; prepare it again',
      cause: error,
    })
  }
}
