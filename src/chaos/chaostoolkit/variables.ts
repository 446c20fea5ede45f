import { HoldfastError, type Json } from '../../kernel/index.ts'
import { isMap } from './python-values.ts'
import { pythonText } from './substitute.ts'
import type { CtkActivity, CtkExperiment, CtkVariables } from './types.ts'

/** Values from outside: they take the place of the experiment's own, those of a secret's scope all at once. */
export interface GivenVariables {
  readonly configuration: Readonly<Record<string, Json>>
  readonly secrets: Readonly<Record<string, Readonly<Record<string, Json>>>>
}

/**
 * The variables of an experiment before anything is played. What a probe must find out is still a probe there; see `findOut`.
 * Throws `experiment-invalid` for a variable of the environment that is not set and has no default.
 *
 * @param strict as Chaos Toolkit, which leaves out values that the experiment does not name itself, and takes secrets from outside as they are
 */
export function loadVariables(
  { configuration = {}, secrets = {} }: CtkExperiment,
  given: GivenVariables,
  strict: boolean,
): CtkVariables {
  const known = <T>(values: Readonly<Record<string, T>>, own: object) =>
    strict ? Object.fromEntries(Object.entries(values).filter(([key]) => Object.hasOwn(own, key))) : values
  const scopes = known(given.secrets, secrets)
  return {
    configuration: mapValues({ ...configuration, ...known(given.configuration, configuration) }, (value, key) =>
      fromEnvironment(value, `configuration.${key}`),
    ),
    secrets: mapValues({ ...secrets, ...scopes }, (scope, name) =>
      mapValues(scope, (value, key) => {
        if (strict && Object.hasOwn(scopes, name)) return value
        if (isMap(value) && value.type === 'vault') throw noVault(`secrets.${name}.${key}`)
        return fromEnvironment(value, `secrets.${name}.${key}`)
      }),
    ),
  }
}

/** The secrets of the scopes that a provider names, of which the later ones count. */
export function secretsFor(
  { secrets = [] }: { readonly secrets?: readonly string[] },
  variables: CtkVariables,
): Readonly<Record<string, Json>> {
  return Object.assign({}, ...secrets.map((scope) => variables.secrets[scope])) as Record<string, Json>
}

/** Plays the probes of the configuration, in order, each with what was found before it. One that fails gives no value, as Chaos Toolkit does. */
export async function findOut(
  { configuration, secrets }: CtkVariables,
  play: (probe: CtkActivity, variables: CtkVariables) => Promise<Json>,
  onFailure: (key: string, error: unknown) => void,
): Promise<CtkVariables> {
  const found: Record<string, Json> = {}
  for (const [key, value] of Object.entries(configuration)) {
    if (!isMap(value) || value.type !== 'probe') {
      found[key] = value
      continue
    }
    const probe = value as unknown as CtkActivity
    try {
      const output = await play(probe, { configuration: found, secrets })
      const picked = pick(probe.provider.type, output)
      if (picked === undefined) throw new Error('the process did not end with 0')
      found[key] = picked
    } catch (error) {
      onFailure(key, error)
    }
  }
  return { configuration: found, secrets }
}

function pick(type: CtkActivity['provider']['type'], output: Json): Json | undefined {
  if (type === 'python' || !isMap(output)) return output
  if (type === 'http') return output.body ?? null
  return output.status === 0 && typeof output.stdout === 'string' ? output.stdout.trim() : undefined
}

function fromEnvironment(value: Json, path: string): Json {
  if (!isMap(value) || value.type !== 'env') return value
  const name = typeof value.key === 'string' ? value.key : ''
  const text = process.env[name] ?? value.default
  if (text === undefined) {
    throw new HoldfastError('experiment-invalid', {
      message: `${path} is to come from the environment variable ${name}, which is not set`,
      hint: `set ${name}, or give it a default`,
    })
  }
  return typeof value.env_var_type === 'string' ? convert(text, value.env_var_type, path) : text
}

/** `KEY=VALUE` or `KEY:TYPE=VALUE`. Throws `usage` for anything else. */
export function parseVariable(text: string): readonly [key: string, value: Json] {
  const match = /^([^=:]+)(?::([a-z]+))?=([\s\S]*)$/.exec(text)
  if (match === null) {
    throw new HoldfastError('usage', { message: `'${text}' is no variable`, hint: 'write NAME=VALUE or NAME:TYPE=VALUE' })
  }
  const [, key = '', type, value = ''] = match
  return [key, type === undefined ? value : convert(value, type, key)]
}

function convert(value: Json, type: string, path: string): Json {
  const wrong = () =>
    new HoldfastError('experiment-invalid', {
      message: `${path} cannot be a value of type ${type}`,
      hint: 'types are str, int, float, bool, bytes and json',
    })
  const number = (is: (n: number) => boolean) => {
    const read = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value)
    if (!is(read)) throw wrong()
    return read
  }
  switch (type) {
    case 'str':
    case 'string':
    case 'bytes':
      return value
    case 'int':
    case 'integer':
      return number(Number.isInteger)
    case 'float':
    case 'number':
      return number(Number.isFinite)
    case 'bool':
      return typeof value === 'boolean' ? value : !['false', '0', 'no'].includes(pythonText(value).toLowerCase())
    case 'json':
      if (typeof value !== 'string' || value === '') return value
      try {
        return JSON.parse(value) as Json
      } catch {
        throw wrong()
      }
    default:
      throw wrong()
  }
}

function noVault(path: string): HoldfastError {
  return new HoldfastError('experiment-invalid', {
    message: `${path} is in Vault, which is not asked here`,
    hint: 'take it from the environment: { type: env, key: NAME }, with NAME set by `vault kv get`',
  })
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T, key: string) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]))
}
