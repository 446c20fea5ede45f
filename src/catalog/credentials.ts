import type { Json } from '../kernel/index.ts'
import { z } from 'zod'
import { secretRef } from './fields.ts'
import type { Secret } from './secret.ts'
import type { SecretRef } from './types.ts'

/** Whoever fetches secrets for others. */
export interface SecretResolver {
  resolveSecret(reference: SecretRef, signal: AbortSignal): Promise<Secret>
}

/** Whether a member of a JSON body is `{ secret: REFERENCE }`. */
function isSecretMember(value: unknown): value is { readonly secret: SecretRef } {
  return secretMember.safeParse(value).success
}
const secretMember = z.strictObject({ secret: secretRef })

/** Secrets that one user of them needs: each fetched when it is needed, and taken out of every text that leaves it. */
export class Credentials {
  readonly #context: SecretResolver
  readonly #signal: AbortSignal
  readonly #revealed = new Set<string>()

  constructor(context: SecretResolver, signal: AbortSignal) {
    this.#context = context
    this.#signal = signal
  }

  async text(value: string | SecretRef): Promise<string> {
    if (typeof value === 'string') return value
    const secret = (await this.#context.resolveSecret(value, this.#signal)).reveal()
    this.#revealed.add(secret)
    return secret
  }

  async texts(values: Readonly<Record<string, string | SecretRef>>): Promise<Record<string, string>> {
    const found: Record<string, string> = {}
    for (const [name, value] of Object.entries(values)) found[name] = await this.text(value)
    return found
  }

  /** JSON in which `{ secret: REFERENCE }` stands for a secret. */
  async json(value: unknown): Promise<Json> {
    if (isSecretMember(value)) return await this.text(value.secret)
    if (Array.isArray(value)) return await Promise.all(value.map((item: unknown) => this.json(item)))
    if (typeof value !== 'object' || value === null) return value as Json
    const members: Record<string, Json> = {}
    for (const [name, member] of Object.entries(value)) members[name] = await this.json(member)
    return members
  }

  /** The text without the secrets. */
  redact(text: string): string {
    return withoutTexts(text, this.#revealed)
  }
}

/** The text without these, also where JSON, a URL, a form or Basic authentication has changed how they are written. */
export function withoutTexts(text: string, secrets: Iterable<string>): string {
  const forms = [...secrets].flatMap((secret) => [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    new URLSearchParams([['', secret]]).toString().slice(1),
    Buffer.from(secret).toString('base64'),
  ])
  return forms
    .filter((form) => form !== '')
    .toSorted((a, b) => b.length - a.length)
    .reduce((clean, form) => clean.replaceAll(form, '***'), text)
}

/** The texts of a value, and its numbers as texts: what of a secret somebody could recognize. */
export function textsOf(value: Json): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number') return [String(value)]
  return typeof value === 'object' && value !== null ? Object.values(value as Record<string, Json>).flatMap(textsOf) : []
}

/** The same in all texts of a value, names of members among them; a number that is a secret becomes a text. */
export function withoutTextsIn(value: Json, secrets: readonly string[]): Json {
  if (typeof value === 'string') return withoutTexts(value, secrets)
  if (typeof value === 'number') return secrets.includes(String(value)) ? '***' : value
  if (Array.isArray(value)) return value.map((item: Json) => withoutTextsIn(item, secrets))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value as Record<string, Json>)
  return Object.fromEntries(members.map(([name, member]) => [withoutTexts(name, secrets), withoutTextsIn(member, secrets)]))
}
