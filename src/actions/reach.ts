import { resolve } from 'node:path'
import type { Reach } from './contract.ts'
import { outputReference, type TextOrSecret } from './param-types.ts'

/** Of a step that works on a folder: local when the folder is the sandbox's, or what an earlier step made. */
export function reachOfFolder(path: string, sandbox: string): Reach {
  return outputReference.test(path) || isBelow(path, sandbox) ? 'local' : 'outside'
}

/** Of a step that connects to a URL: the host in it. One that an earlier step gave is as local as that step. */
export function reachOfUrl(url: TextOrSecret): Reach {
  if (typeof url !== 'string') return 'outside'
  // An output within the path, or the query, changes nothing about the host.
  const [authority = ''] = url.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '').split(/[/?#](?!\{)/)
  if (outputReference.test(authority)) return 'local'
  const parsed = URL.parse(url.replaceAll(/\$\{[^}]*\}/g, 'x'))
  if (parsed === null || parsed.hostname === '' || /[?&]host(?:addr)?=/.test(url)) return 'outside'
  const port = parsed.port === '' ? (defaultPorts[parsed.protocol] ?? '') : parsed.port
  return { hosts: [port === '' ? parsed.hostname : `${parsed.hostname}:${port}`] }
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
