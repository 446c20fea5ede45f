import { z } from 'zod'
import type { SecretRef } from '../catalog/index.ts'
import { parseDuration, tryParseDuration } from '../kernel/index.ts'

/**
 * Types of parameters. None of them changes its value: what a catalog says is checked when it is read and again, with the outputs of
 * earlier steps filled in, when the step runs.
 */

/** `${steps.restore.dataDirectory}`: the output of an earlier step, filled in just before the step runs. */
export const outputReference = /\$\{steps\.[^}]*\}/

export const durationText = z
  .string()
  .refine((text) => tryParseDuration(text) !== undefined, 'a duration with its unit, such as 30s or 5m')
  .meta({ description: 'A duration with its unit: 250ms, 30s, 5m, 2h' })

export const durationMs = (text: string): number => parseDuration(text)

/** Where a secret is, never the secret. */
const secretReference: z.ZodType<SecretRef> = z.union([
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ file: z.string().min(1) }),
  z.strictObject({ command: z.tuple([z.string().min(1)], z.string()).readonly() }),
])

/** A text, or where to find it when it is secret. */
export const textOrSecret = z.union([z.string(), secretReference])

/**
 * A program with its arguments, or a line for `sh -c`. Outputs of earlier steps are refused in the line, where their spaces and quotes
 * would become syntax: they belong into the list or into `env`.
 */
export const commandLine = z.union([
  z
    .string()
    .min(1)
    .refine((text) => !outputReference.test(text), {
      message: "an output of another step cannot stand in a shell line: put it into 'env', or write the command as a list",
    }),
  z.array(z.string()).min(1),
])

export type CommandLine = z.infer<typeof commandLine>
