import { extname } from 'node:path'
import { z } from 'zod'
import { HoldfastError, type Json } from '../../kernel/index.ts'
import { parseByName, readText } from './load.ts'
import type { GivenVariables } from './variables.ts'

const values = z.record(z.string(), z.custom<Json>())
const payload = z.strictObject({ configuration: values.optional(), secrets: z.record(z.string(), values).optional() })

/** What a file of variables holds. */
export interface VariableFile extends GivenVariables {
  /** Of a file of the environment (`.env`): what it sets there, for this program and all that it starts. */
  readonly environment: Readonly<Record<string, string>>
}

/**
 * A file as Chaos Toolkit takes it with `--var-file`: JSON or YAML by its name, with `configuration` and `secrets` as in an experiment; any other holds
 * a `NAME=VALUE` in each line, taken as it is, without quotes or escapes. Throws `not-found` or `experiment-invalid`.
 */
export async function readVariableFile(path: string): Promise<VariableFile> {
  const text = await readText(path)
  const none = { configuration: {}, secrets: {}, environment: {} }
  if (!['.json', '.yaml', '.yml'].includes(extname(path))) return { ...none, environment: readEnvironment(path, text) }
  const read = text.trim() === '' ? {} : (parseByName(path, text) ?? {})
  const parsed = payload.safeParse(read)
  if (parsed.success) return { ...none, ...definedOf(parsed.data) }
  throw new HoldfastError('experiment-invalid', {
    message: `${path} holds no variables: ${z.prettifyError(parsed.error).replaceAll('\n', '; ')}`,
    hint: 'it has `configuration` with values, and `secrets` with scopes of values, as in an experiment',
  })
}

/** Several, of which the later ones count. */
export function mergeVariables(all: readonly Partial<VariableFile>[]): VariableFile {
  return {
    configuration: Object.assign({}, ...all.map(({ configuration }) => configuration)) as VariableFile['configuration'],
    secrets: Object.assign({}, ...all.map(({ secrets }) => secrets)) as VariableFile['secrets'],
    environment: Object.assign({}, ...all.map(({ environment }) => environment)) as VariableFile['environment'],
  }
}

function definedOf({ configuration = {}, secrets = {} }: z.infer<typeof payload>): GivenVariables {
  return { configuration, secrets }
}

function readEnvironment(path: string, text: string): Record<string, string> {
  const lines = text.split('\n').map((line) => line.trim())
  return Object.fromEntries(
    lines.flatMap((line, index) => {
      if (line === '' || line.startsWith('#')) return []
      const end = line.indexOf('=')
      if (end > 0) return [[line.slice(0, end), line.slice(end + 1)]]
      throw new HoldfastError('experiment-invalid', {
        message: `${path}:${index + 1} sets nothing`,
        hint: 'each line is NAME=VALUE; a file with `configuration` and `secrets` is named .json, .yaml or .yml',
      })
    }),
  )
}
