import { resolve } from 'node:path'
import type { Reach } from './contract.ts'
import type { TextOrSecret } from './param-types.ts'

/** Of a step that works on a folder: local when the folder is the sandbox's, or what an earlier step made. */
export function reachOfFolder(path: string, sandbox: string): Reach {
  return /^\$\{steps\.[^}]*\}(?:\/|$)/.test(path) || isBelow(path, sandbox) ? 'local' : 'outside'
}

/** Stands for an output of an earlier step while a URL is taken apart: a host name as far as URLs go, and nobody's. */
const output = 'holdfast-output.invalid'

/**
 * Of a step that connects to a URL: the host in it. A host that is all an output of an earlier step is as local as that step; one that is
 * partly an output could be anything.
 */
export function reachOfUrl(url: TextOrSecret): Reach {
  if (typeof url !== 'string') return 'outside'
  const marked = url.replaceAll(/\$\{steps\.[^}]*\}/g, output)
  // PostgreSQL's parameters, which name another host than the URL does.
  if (/[?&]host(?:addr)?=/.test(marked)) return 'outside'
  if (marked.startsWith(output)) return /^(?:$|[/?#&]|:\d)/.test(marked.slice(output.length)) ? 'local' : 'outside'
  // A port that only the run will know: then the host must be allowed with all its ports.
  const withoutPort = marked.replace(/:holdfast-output\.invalid(?=[/?#]|$)/, '')
  const parsed = URL.parse(withoutPort)
  if (parsed === null || parsed.hostname === '') return 'outside'
  if (parsed.hostname === output) return 'local'
  if (parsed.hostname.includes(output)) return 'outside'
  const port = parsed.port === '' && withoutPort === marked ? (defaultPorts[parsed.protocol] ?? '') : parsed.port
  return { hosts: [port === '' ? parsed.hostname : `${parsed.hostname}:${port}`] }
}

/** Of a step that does several things: as far as the farthest of them. */
export function farthest(reaches: readonly Reach[]): Reach {
  if (reaches.includes('outside')) return 'outside'
  const hosts = reaches.flatMap((reach) => (typeof reach === 'object' ? reach.hosts : []))
  return hosts.length === 0 ? 'local' : { hosts: [...new Set(hosts)] }
}

const defaultPorts: Readonly<Record<string, string>> = {
  'http:': '80',
  'https:': '443',
  'postgres:': '5432',
  'postgresql:': '5432',
}

export function isBelow(path: string, folder: string): boolean {
  return resolve(path).startsWith(`${resolve(folder)}/`)
}
