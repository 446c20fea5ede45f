import { readFile } from 'node:fs/promises'

/** Names of users and groups as the local files give them. An id without a name has none in the snapshot either, as with restic. */
export interface Owners {
  user(uid: number): string | undefined
  group(gid: number): string | undefined
}

/** Reads /etc/passwd and /etc/group once. Either may be missing (containers). */
export async function loadOwners(passwd = '/etc/passwd', group = '/etc/group'): Promise<Owners> {
  const [users, groups] = await Promise.all([readNames(passwd), readNames(group)])
  return { user: (uid) => users.get(uid), group: (gid) => groups.get(gid) }
}

/** passwd(5) and group(5): `name:password:id:…`. The first name of an id counts, as with getpwuid. */
async function readNames(path: string): Promise<Map<number, string>> {
  const names = new Map<number, string>()
  const text = await readFile(path, 'utf8').catch(() => '')
  for (const line of text.split('\n')) {
    const [name, , id] = line.split(':')
    if (!name || name.startsWith('#') || id === undefined || !/^\d+$/.test(id)) continue
    if (!names.has(Number(id))) names.set(Number(id), name)
  }
  return names
}
