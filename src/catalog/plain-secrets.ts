import { secretHint } from './structure.ts'
import { isPlainMap, pathText, type Finding, type Path } from './finding.ts'
import type { YamlSource } from './yaml-source.ts'

/** Keys that hold secrets wherever they stand, as in PGPASSWORD, api-key or clientSecret. */
const secretKey =
  /(?:password|passwd|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credentials?|authorization)$/i
/** From the end of the scheme on: to look for its beginning would take a time that grows with the square of a long word. */
const urlWithPassword = /[a-z0-9+.-]:\/\/[^\s/@:]*:([^\s/@]+)@/i
const passwordSetting = /(?:^|[\s?&])(?:password|sslpassword)=[^\s&$]/i

export interface PlainSecret {
  readonly path: Path
  readonly finding: Finding
}

/** Secrets that stand in the file itself. No word of them is in what is reported. */
export function plainSecrets(value: unknown, source: YamlSource, path: Path = []): PlainSecret[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown, index) => plainSecrets(item, source, [...path, index]))
  if (isPlainMap(value)) return Object.entries(value).flatMap(([key, member]) => plainSecrets(member, source, [...path, key]))
  const why = reason(value, path)
  if (why === undefined) return []
  return [
    {
      path,
      finding: {
        code: 'plain-secret',
        offset: source.valueOffset(path),
        message: `${pathText(path)} ${why}`,
        expected: 'a reference: { env: NAME }, { file: PATH } or { command: [PROGRAM, ARGUMENT, …] }',
        hint: secretHint,
      },
    },
  ]
}

function reason(value: unknown, path: Path): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const text = String(value)
  if (text === '') return undefined
  const key = path.at(-1)
  // What an earlier step gave is not in this file.
  if (typeof key === 'string' && secretKey.test(key) && !/^\$\{[^}]*\}$/.test(text))
    return 'must be a reference to a secret, not the secret itself'
  const password = urlWithPassword.exec(text)?.[1]
  if (password !== undefined && !password.startsWith('$')) return 'has a password in an address'
  return typeof key === 'string' && /url$/i.test(key) && passwordSetting.test(text) ? 'has a password in it' : undefined
}

/** The text with every character of these secrets replaced, lines and columns kept: for showing parts of it. */
export function maskSecrets(text: string, secrets: readonly PlainSecret[], source: YamlSource): string {
  let masked = text
  for (const { path } of secrets) {
    const written = source.written(path)
    if (written === undefined) continue
    const { offset } = written
    masked = masked.slice(0, offset) + written.text.replaceAll(/[^\s]/g, '*') + masked.slice(offset + written.text.length)
  }
  return masked.split('\n').map(maskLine).join('\n')
}

/** A message of code that may know secrets: without what looks like one, and without what the environment holds under a name for secrets. */
export function maskMessage(message: string): string {
  const known = Object.entries(process.env).flatMap(([name, value = '']) =>
    secretKey.test(name) && value.length > 3 ? [value] : [],
  )
  return known.reduce((masked, secret) => masked.replaceAll(secret, '***'), maskLine(message))
}

/** Also where the text could not be read as YAML, and in comments. */
function maskLine(line: string): string {
  return line
    .replace(
      /((?:password|passwd|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|authorization)["']?\s*[:=]\s*)([^\s{[*&|>].*)$/i,
      (_, before: string, secret: string) => before + secret.replaceAll(/[^\s]/g, '*'),
    )
    .replace(/(:\/\/[^\s/@:]*:)([^\s/@]+)@/g, (_, before: string, secret: string) => `${before}${'*'.repeat(secret.length)}@`)
}
