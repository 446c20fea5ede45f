import { portablePath, type Catalog, type SecretRef } from '../catalog/index.ts'
import { quote } from '../kernel/index.ts'
import type { CommandLine, TextOrSecret } from './param-types.ts'

export function argv(command: CommandLine): [string, ...string[]] {
  return typeof command === 'string' ? ['sh', '-c', command] : (command as [string, ...string[]])
}

export function asShellLine(command: CommandLine): string {
  return typeof command === 'string' ? command : command.map(quote).join(' ')
}

/** A line for sh that sets a variable to a secret without showing it. */
export function exportSecret(name: string, secret: SecretRef, catalog: Catalog | undefined): string {
  return 'env' in secret && secret.env === name ? `export ${name}` : `export ${name}="${secretText(secret, catalog)}"`
}

/** One word for sh: the text itself, or where the secret is. */
export function shellWord(value: TextOrSecret, prefix = ''): string {
  return typeof value === 'string' ? quote(`${prefix}${value}`) : `"${prefix}${secretText(value, undefined)}"`
}

/** What sh puts the secret in place of, between double quotes. */
function secretText(secret: SecretRef, catalog: Catalog | undefined): string {
  if ('env' in secret) return `$${secret.env}`
  if ('command' in secret) return `$(${asShellLine([...secret.command])})`
  const { from, path } = catalog === undefined ? { from: 'root', path: secret.file } : portablePath(secret.file, catalog)
  return `$(cat ${from === 'home' ? '"$HOME"/' : ''}${quote(path)})`
}
