import { lstatSync, realpathSync, statSync, type Stats } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Why a file that is code is not to be run unasked: somebody else than this user and root could have written it, or could have put it, or a link, in its place.
 * As ssh does with its configuration, one that its group may write counts too. Undefined where only they could. What the code itself imports is not looked at.
 */
export function distrustOf(file: string): string | undefined {
  const linked = lstatSync(file).isSymbolicLink()
  const real = realpathSync(file)
  const folders = new Set([dirname(resolve(file)), dirname(real)])
  return (
    (linked ? ownerProblem(lstatSync(file), 'is a link that') : undefined) ??
    problemOf(statSync(real), linked ? `leads to ${real}, which` : undefined) ??
    [...folders].map((folder) => problemOf(statSync(folder), `is in ${folder}, which`)).find((problem) => problem !== undefined)
  )
}

function problemOf(stats: Stats, subject: string | undefined): string | undefined {
  const who = (stats.mode & 0o002) !== 0 ? 'anybody' : (stats.mode & 0o020) !== 0 ? 'its group' : undefined
  // In a folder with the sticky bit, as /tmp, nobody can replace what is another's.
  const isSticky = stats.isDirectory() && (stats.mode & 0o1000) !== 0
  const writable = who === undefined || isSticky ? undefined : [subject, `can be written by ${who}`].filter(Boolean).join(' ')
  return ownerProblem(stats, subject) ?? writable
}

function ownerProblem({ uid }: Stats, subject: string | undefined): string | undefined {
  const own = process.getuid?.()
  if (own === undefined || uid === own || uid === 0) return undefined
  return [subject, `belongs to another user (uid ${uid})`].filter(Boolean).join(' ')
}
