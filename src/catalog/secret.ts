import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { inspect } from 'node:util'
import { HoldfastError, isHoldfastError, messageOf, runProcess, systemCode, type Json } from '../kernel/index.ts'
import { fromDirectory } from './build-secret.ts'
import type { SecretResolver } from './credentials.ts'
import { secretRef } from './fields.ts'
import type { Catalog, SecretRef } from './types.ts'

const commandTimeoutMs = 30_000
const maxFileBytes = 64 * 1024

/** A secret's value, which shows itself only when asked: not in JSON, logs, templates or the debugger's view. */
export class Secret {
  readonly #value: string
  readonly #name: string

  constructor(value: string, reference: SecretRef) {
    this.#value = value
    this.#name = describeSecret(reference)
  }

  /** The value, for use at once. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return `[secret from ${this.#name}]`
  }

  toJSON(): string {
    return this.toString()
  }

  [inspect.custom](): string {
    return this.toString()
  }
}

/** A reference in words: `the environment variable NAME`. */
export function describeSecret(reference: SecretRef): string {
  if ('env' in reference) return `the environment variable ${reference.env}`
  if ('file' in reference) return `the file ${reference.file}`
  return `the command ${reference.command[0]}`
}

/**
 * Fetches a secret from where its reference says; one newline at its end does not count. A command has 30 s, no input, and no shell.
 * Throws `secret-unavailable` naming the reference, never the value, when there is none or it is empty.
 */
export async function resolveSecret(reference: SecretRef, signal?: AbortSignal): Promise<Secret> {
  signal?.throwIfAborted()
  const value = (await fetchSecret(reference, signal)).replace(/\r?\n$/, '')
  if (value === '') throw unavailable(reference, 'is empty', 'a secret has at least one character')
  return new Secret(value, reference)
}

/**
 * As resolveSecret, for references as they are written in the steps of plans, whose parameters stay as written so that a plan's hash is the same on every
 * machine: relative files start at the catalog's folder, `~/` at home.
 */
export function secretsOf({ file }: Pick<Catalog, 'file'>): SecretResolver['resolveSecret'] {
  const directory = dirname(file)
  return (reference, signal) =>
    resolveSecret('file' in reference ? { file: fromDirectory(directory, reference.file) } : reference, signal)
}

/**
 * Parameters of a fault with every reference to a file that is relative made absolute, as secretsOf would read it: who takes the fault back has its record and
 * no catalog. Only members can be references; a member that is exactly `{ file: PATH }` is one.
 */
export function withWholePaths(params: Json, { file }: Pick<Catalog, 'file'>): Json {
  if (Array.isArray(params)) return params.map((item) => ofMember(item, file))
  if (typeof params !== 'object' || params === null) return params
  return Object.fromEntries(Object.entries(params).map(([name, member]) => [name, ofMember(member, file)]))
}

function ofMember(value: Json, file: string): Json {
  const { data: reference } = secretRef.safeParse(value)
  if (reference?.file !== undefined) return { file: fromDirectory(dirname(file), reference.file) }
  return withWholePaths(value, { file })
}

async function fetchSecret(reference: SecretRef, signal: AbortSignal | undefined): Promise<string> {
  if ('env' in reference) {
    const value = process.env[reference.env]
    if (value === undefined) throw unavailable(reference, 'is not set', `export ${reference.env}, and run it again`)
    return value
  }
  return 'file' in reference ? readSecretFile(reference, reference.file) : runSecretCommand(reference, reference.command, signal)
}

async function readSecretFile(reference: SecretRef, path: string): Promise<string> {
  try {
    await using handle = await open(path, 'r')
    const buffer = Buffer.alloc(maxFileBytes + 1)
    let length = 0
    // A pipe (`/dev/fd/3`, process substitution) gives its content in pieces.
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length)
      length += bytesRead
      if (bytesRead === 0 || length > maxFileBytes) break
    }
    if (length > maxFileBytes)
      throw unavailable(reference, `is larger than ${maxFileBytes} bytes`, 'a file that holds only the secret is meant')
    return buffer.toString('utf8', 0, length)
  } catch (error) {
    if (isHoldfastError(error)) throw error
    const code = systemCode(error)
    const why =
      code === 'ENOENT' ? 'does not exist' : code === 'EACCES' ? 'may not be read' : `cannot be read: ${messageOf(error)}`
    throw unavailable(reference, why, 'check its path and who may read it', error)
  }
}

async function runSecretCommand(
  reference: SecretRef,
  [program, ...args]: readonly [string, ...string[]],
  signal: AbortSignal | undefined,
): Promise<string> {
  let result: Awaited<ReturnType<typeof runProcess>>
  try {
    result = await runProcess(program, args, { timeoutMs: commandTimeoutMs, keepBytes: maxFileBytes }, signal)
  } catch (error) {
    signal?.throwIfAborted()
    const late = isHoldfastError(error, 'timed-out')
    throw unavailable(
      reference,
      late ? `did not end within ${commandTimeoutMs / 1000} s` : 'cannot be run',
      late ? 'it may wait for a login or an answer: run it by hand' : `check that ${program} is installed and in PATH`,
      error,
    )
  }
  if (result.exitCode === 0) return result.stdout
  // What it printed may be the secret; its complaint is shown only when it printed nothing else.
  const complaint = result.stdout === '' ? result.stderr.trim().split('\n').at(-1)?.slice(0, 200) : undefined
  throw unavailable(
    reference,
    `ended with ${result.signal ?? `exit code ${result.exitCode}`}${complaint ? `: ${complaint}` : ''}`,
    'run it by hand to see why',
  )
}

function unavailable(reference: SecretRef, why: string, hint: string, cause?: unknown): HoldfastError {
  return new HoldfastError('secret-unavailable', {
    message: `${describeSecret(reference)} ${why}, and a secret is expected there`,
    hint,
    details: { reference },
    ...(cause === undefined ? {} : { cause }),
  })
}
