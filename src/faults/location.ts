import { z } from 'zod'
import { secretRef, text, type SecretRef } from '../catalog/index.ts'
import { quote } from '../kernel/index.ts'
import type { TraceContext } from './contract.ts'

/** A URL, or where to find it. One with a password in it must be a secret: what is written here is in records, too. */
export const urlOrSecret = z
  .union([
    text.refine((url) => !/:\/\/[^/@]*:[^/@]*@|[?&]password=/.test(url), {
      message: 'a URL with a password belongs into a secret',
    }),
    secretRef as unknown as z.ZodType<SecretRef>,
  ])
  .describe('Where the server is, as a URL; with a password in it, where that URL is: a secret.')

export type UrlOrSecret = z.infer<typeof urlOrSecret>

export async function resolveUrl(url: UrlOrSecret, context: TraceContext, signal: AbortSignal): Promise<string> {
  return typeof url === 'string' ? url : (await context.resolveSecret(url, signal)).reveal()
}

/** One word for sh: the URL itself, or where it is. */
export function urlInShell(url: UrlOrSecret): string {
  if (typeof url === 'string') return quote(url)
  if ('env' in url) return `"$${url.env}"`
  return 'file' in url ? `"$(cat ${quote(url.file)})"` : `"$(${url.command.map(quote).join(' ')})"`
}
