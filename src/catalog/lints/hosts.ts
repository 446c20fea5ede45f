import type { ActionCall } from '../types.ts'

/** Members that hold nothing but the name or the address of a machine. */
const hostMember = /^(?:host|address)e?s?$/i
/** In a text, where a machine is meant: `//user:password@HOST`, `user@HOST`, `host=HOST`, `HOST:5432`. */
const hostPosition = /(?:\/\/|@|\bhost(?:addr)?=)([\w-]+)(?![\w.-]|@|:[^\s/@]*@)|(?<![\w.:/@-])([\w-]+)(?=:\d{1,5}(?!\d))/g

/**
 * Everything in the parameters of a call that could be the name or the address of a machine. A word with a dot in it could be one anywhere; one without could
 * be a service, a table or a user, and counts only where a machine is meant.
 */
export function hostsIn({ kind, params }: ActionCall): string[] {
  const isHost = (key: string) => hostMember.test(key) || (kind === 'dns.update' && key === 'server')
  const read = (value: unknown, key: string): string[] => {
    if (Array.isArray(value)) return value.flatMap((item: unknown) => read(item, key))
    if (typeof value === 'object' && value !== null) return Object.entries(value).flatMap(([name, member]) => read(member, name))
    if (typeof value !== 'string') return []
    const words = value.split(/[^A-Za-z0-9._-]+/)
    // Each argument of a program may be a machine.
    if (isHost(key) || (kind === 'shell' && key === 'run')) return words
    const meant = [...value.matchAll(hostPosition)].flatMap(([, after, before]) => after ?? before ?? [])
    return [...words.filter((word) => word.includes('.')), ...meant]
  }
  return read(params, '')
}
