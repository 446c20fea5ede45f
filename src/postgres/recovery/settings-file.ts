import { chown, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode, writeFileDurably } from '../../kernel/index.ts'

/** The file that the server itself writes (ALTER SYSTEM): it overrides postgresql.conf and lies in every data directory. */
export const overridesFile = 'postgresql.auto.conf'

const assignment = /^\s*([A-Za-z_][\w.]*)\s*=?\s*(.*?)\s*$/

/** The assignments of a configuration file, in order; comments, includes and blank lines are left out. Values without their quotes. */
export function readSettings(text: string): { readonly name: string; readonly value: string }[] {
  return text.split('\n').flatMap((line) => {
    const match = assignment.exec(line.replace(/^\s*#.*/, ''))
    if (!match || (match[1] ?? '').startsWith('include')) return []
    const raw = match[2] ?? ''
    const quoted = /^'((?:[^']|'')*)'/.exec(raw)
    const value = quoted ? (quoted[1] ?? '').replaceAll("''", "'") : raw.replace(/\s*#.*$/, '')
    return [{ name: (match[1] ?? '').toLowerCase(), value }]
  })
}

/** A file's text without the assignments of `names`, then the new ones. */
export function replaceSettings(text: string, names: ReadonlySet<string>, settings: Readonly<Record<string, string>>): string {
  const kept = text.split('\n').filter((line) => {
    const match = assignment.exec(line.replace(/^\s*#.*/, ''))
    return !match || !names.has((match[1] ?? '').toLowerCase())
  })
  while (kept.at(-1) === '') kept.pop()
  const added = Object.entries(settings).map(
    ([name, value]) => `${name} = '${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`,
  )
  return [...kept, ...added, ''].join('\n')
}

/** A file of a data directory; '' when it is not there. */
export async function readDataFile(dataDir: string, name: string): Promise<string> {
  try {
    return await readFile(join(dataDir, name), 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return ''
    throw error
  }
}

/** Writes a file of a data directory, durable and whole, for the directory's owner. */
export async function writeDataFile(dataDir: string, name: string, text: string, mode = 0o600): Promise<void> {
  const path = join(dataDir, name)
  await writeFileDurably(path, text, { mode })
  await giveToOwner(dataDir, path)
}

/** Makes a path belong to whoever owns the data directory: the server must be able to read what we as root write there. */
export async function giveToOwner(dataDir: string, path: string): Promise<void> {
  if (process.geteuid?.() !== 0) return
  const { uid, gid } = await stat(dataDir)
  await chown(path, uid, gid)
}
