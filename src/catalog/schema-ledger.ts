import { z } from 'zod'
import { entryName } from './fields.ts'

const publicKey = z
  .string()
  .regex(/^ed25519:[A-Za-z0-9_-]{43}$/)
  .meta({
    expected: 'a public key, as `holdfast ledger keys` prints it: ed25519: and 43 characters',
    description: 'The public key of an installation of Holdfast, as `holdfast ledger keys` prints it.',
    examples: ['ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'],
  })

/** What is known of the ledger from outside of it. */
export const ledgerRules = z.strictObject({
  keys: z
    .record(entryName, publicKey)
    .describe('Who may write evidence, by name. With any named, what others sign, or nobody, counts as no evidence.')
    .default({}),
})
