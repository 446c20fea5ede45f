import { z } from 'zod'
import { tryParseDuration, tryParseSize } from '../kernel/index.ts'
import { tryParseSchedule } from './schedule.ts'

/**
 * Types of single values. None of them changes its value: what was written stays what it was, and build.ts turns it into numbers.
 *
 * Their metadata is read by the checks and left out of the published schema: `expected` words what belongs there, `reference` names what
 * kind of entry a name stands for, `unit` says that a bare number would be ambiguous, `secret` that only a reference may stand there.
 */
export type Reference =
  | 'site'
  | 'repository'
  | 'cluster'
  | 'service'
  | 'dependency'
  | 'observer'
  | 'plan'
  | 'step'
  | 'contact'
  | 'escalation'

export interface FieldMeta {
  readonly expected?: string
  readonly reference?: Reference
  readonly unit?: 'duration' | 'size'
  readonly secret?: boolean
}

/** The metadata above: not JSON Schema's. */
export const fieldMetaKeys: readonly string[] = ['expected', 'reference', 'unit', 'secret'] satisfies (keyof FieldMeta)[]

export const durationText = z
  .string()
  .regex(/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/)
  .refine((text) => tryParseDuration(text) !== undefined)
  .meta({
    unit: 'duration',
    expected: 'a duration with its unit, such as 30s, 5m, 2h or 7d',
    description: 'A duration with its unit: 250ms, 30s, 5m, 1h30m, 7d, 2w.',
    examples: ['5m'],
  } satisfies FieldMeta & Record<string, unknown>)

export const sizeText = z
  .string()
  .regex(/^\d+(?:\.\d+)? ?(?:[kKMGT]B|[KMGT]iB|B)$/)
  .refine((text) => tryParseSize(text) !== undefined)
  .meta({
    unit: 'size',
    expected: 'a size with its unit, such as 16MiB or 2GB',
    description: 'A size with its unit: 512B, 16MiB, 1.5GB.',
    examples: ['16MiB'],
  })

export const scheduleText = z
  .string()
  .refine((text) => tryParseSchedule(text) !== undefined)
  .meta({
    expected: "'daily at 02:00', 'weekly on sunday at 03:00', 'hourly', 'every 15m', or a cron expression of five fields",
    examples: ['daily at 02:00'],
  })

export const text = z.string().regex(/\S/).meta({ expected: 'text' })

/** How an entry of the catalog may be called: it becomes part of paths, slots and file names. */
export const entryName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/)
  .meta({ expected: 'a name of letters, digits, dots, hyphens and underscores that begins with a letter or digit (63 at most)' })

const nameOf = (reference: Reference) => z.string().meta({ reference, expected: `the name of a ${reference}` })

export const siteName = nameOf('site')
export const repositoryName = nameOf('repository')
export const clusterName = nameOf('cluster')
export const serviceName = nameOf('service')
/** A service, or what others run for us. */
export const dependencyName = z
  .string()
  .meta({ reference: 'dependency', expected: 'the name of a service or of something external' })
export const contactName = nameOf('contact')
export const escalationName = nameOf('escalation')
export const observerName = nameOf('observer')
export const planName = nameOf('plan')
export const stepId = nameOf('step')

/** How often something is due, if ever. */
export const interval = z.union([durationText, z.literal('never')])

/** A list without repeats. */
export const setOf = <T extends z.ZodType>(item: T) => z.array(item).meta({ uniqueItems: true })

export const secretRef = z
  .strictObject({
    env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
      .meta({ expected: 'the name of an environment variable', description: 'The environment variable that holds it.' })
      .optional(),
    file: text
      .meta({ expected: 'the path of a file', description: 'The file that holds it; one newline at its end does not count.' })
      .optional(),
    command: z
      .array(z.string())
      .min(1)
      .meta({
        expected: 'a list of a program and its arguments',
        description: 'A program and its arguments that print it (1Password, Vault, pass, …); run without a shell.',
        examples: [['op', 'read', 'op://infra/holdfast/password']],
      })
      .optional(),
  })
  .refine((reference) => Object.values(reference).filter((part) => part !== undefined).length === 1)
  .meta({
    secret: true,
    minProperties: 1,
    maxProperties: 1,
    expected: 'exactly one of { env: NAME }, { file: PATH } and { command: [PROGRAM, ARGUMENT, …] }',
    description: 'Where a secret is, never the secret itself: exactly one of env, file and command.',
    examples: [{ env: 'HOLDFAST_PASSWORD' }],
  })

export const hostPattern = z
  .string()
  .regex(/^(?:\*\.)?[A-Za-z0-9][A-Za-z0-9._-]*$/)
  .meta({ expected: 'the name or the address of a host, or *.DOMAIN' })

export const absolutePath = z.string().regex(/^\//).meta({ expected: 'an absolute path' })

export const portNumber = z.int().min(1).max(65_535).meta({ expected: 'a port number from 1 to 65535' })
