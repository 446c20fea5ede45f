import { access, constants, glob, realpath, stat } from 'node:fs/promises'
import { dirname, extname, relative, resolve, sep } from 'node:path'
import { z } from 'zod'
import { messageOf, systemCode } from '../kernel/index.ts'
import { setOf, text } from './fields.ts'

/** What `include` may hold. */
export const includeSchema = setOf(
  z.union([
    text,
    z.strictObject({
      path: text.describe('A path or a pattern, relative to the file that it stands in.'),
      outside: z.boolean().describe('It may lead out of the folder of the catalog.').default(false),
    }),
  ]),
).meta({
  expected: 'a list of paths or patterns, such as [services/*.yaml]',
  description:
    'Further files of this catalog, by paths or patterns (`*`, `**`) relative to the file that names them. Their sections are put together; a name may be there once.',
  examples: [['services/*.yaml']],
})

export type Include = z.output<typeof includeSchema>[number]

/** Why an entry of `include` gives no files. */
export interface IncludeProblem {
  readonly code: 'include-missing' | 'include-outside'
  readonly message: string
  readonly hint: string
}

/**
 * The files that an entry of `include` stands for, as absolute paths in the order of their names. A path that is not there, and a pattern that nothing fits,
 * is a problem: services that are silently gone would be missed by nobody. So is a file outside `root` (through links too), unless the entry says `outside`.
 */
export async function filesOf(
  include: Include,
  { from, root }: { readonly from: string; readonly root: string },
): Promise<readonly string[] | IncludeProblem> {
  const { path, outside } = typeof include === 'string' ? { path: include, outside: false } : include
  const directory = dirname(from)
  const found = /[*?[\]{}]/.test(path) ? await matching(path, directory) : await existing(resolve(directory, path), path)
  if (!Array.isArray(found)) return found
  for (const file of outside ? [] : found) {
    if (await isWithin(file, root)) continue
    return {
      code: 'include-outside',
      message: `${path} leads out of the folder of the catalog, to ${await realpath(file)}`,
      hint: `write { path: ${path}, outside: true } if that is meant`,
    }
  }
  return found
}

async function matching(pattern: string, directory: string): Promise<string[] | IncludeProblem> {
  const files: string[] = []
  const because = (what: string, error: unknown): IncludeProblem => ({
    code: 'include-missing',
    message: `${pattern} fits ${what}, which cannot be read: ${messageOf(error)}`,
    hint: 'look who may read it, and where it leads if it is a link',
  })
  // What cannot be looked into fits nothing for glob, and would be missed by nobody.
  for (const folder of foldersOf(pattern)) {
    for await (const name of glob(folder, { cwd: directory })) {
      const error = await failureOf(resolve(directory, name))
      if (error !== undefined) return because(`files in ${name}`, error)
    }
  }
  for await (const name of glob(pattern, { cwd: directory })) {
    const file = resolve(directory, name)
    try {
      if ((await stat(file)).isFile()) files.push(file)
    } catch (error) {
      return because(name, error)
    }
  }
  if (files.length > 0) return files.toSorted()
  return { code: 'include-missing', message: `no file fits ${pattern}`, hint: `patterns are relative to ${directory}` }
}

/** Patterns of the folders that the files of a pattern are in, from the outermost: `a/`, `a/b/` of `a/b/c.yaml`. */
function foldersOf(pattern: string): string[] {
  const parts = pattern.split('/')
  return parts.slice(0, -1).map((_, index) => `${parts.slice(0, index + 1).join('/')}/`)
}

/** Why a folder cannot be listed; undefined for one that can, and for what is none. */
async function failureOf(path: string): Promise<unknown> {
  try {
    if ((await stat(path)).isDirectory()) await access(path, constants.R_OK | constants.X_OK)
    return undefined
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? undefined : error
  }
}

async function existing(file: string, path: string): Promise<string[] | IncludeProblem> {
  try {
    if ((await stat(file)).isFile()) return [file]
    return { code: 'include-missing', message: `${path} is not a file`, hint: `name the files in it: ${path}/*.yaml` }
  } catch (error) {
    const isMissing = systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR'
    return {
      code: 'include-missing',
      message: isMissing ? `there is no ${path}` : `${path} cannot be read: ${messageOf(error)}`,
      hint: `paths are relative to ${dirname(file)}`,
    }
  }
}

async function isWithin(file: string, root: string): Promise<boolean> {
  const path = relative(await realpath(root), await realpath(file))
  return path !== '..' && !path.startsWith(`..${sep}`)
}

/** What a catalog says once, in its first file. */
export const ofWholeCatalog: ReadonlySet<string> = new Set(['name', 'currency'])

/** Code runs only as the catalog itself: nobody should have to look through includes for it. */
export function isCode(file: string): boolean {
  return /^\.[cm]?[jt]s$/.test(extname(file))
}
