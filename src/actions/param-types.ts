import { z } from 'zod'
import { secretRef, text, type SecretRef } from '../catalog/index.ts'

/**
 * Types of parameters. None of them changes its value: what a catalog says is checked when it is read and again, with the outputs of
 * earlier steps filled in, when the step runs.
 */

/** `${steps.restore.dataDirectory}`: the output of an earlier step, filled in just before the step runs. */
export const outputReference = /\$\{steps\.[^}]*\}/

/** A text, or where to find it when it is secret. */
export const textOrSecret = z.union([text, secretRef as unknown as z.ZodType<SecretRef>])

export type TextOrSecret = z.infer<typeof textOrSecret>

/** A path, or an output that is one. */
export const pathOrOutput = z
  .string()
  .regex(/^(?:\/|\$\{steps\.)/)
  .meta({ expected: 'an absolute path, or an output of an earlier step that is one' })

/**
 * A program with its arguments, or a line for `sh -c`. Outputs of earlier steps are refused in the line, where their spaces and quotes
 * would become syntax: they belong into the list or into `env`.
 */
export const commandLine = z
  .union([
    text.refine((line) => !outputReference.test(line), {
      message: "an output of another step cannot stand in a shell line: put it into 'env', or write the command as a list",
    }),
    z.array(z.string()).min(1),
  ])
  .meta({ expected: 'a line for sh, or a list of a program and its arguments (outputs of steps only in the list)' })

export type CommandLine = z.infer<typeof commandLine>
