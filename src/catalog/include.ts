import { glob, realpath, stat } from 'node:fs/promises'
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
  for await (const name of glob(pattern, { cwd: directory })) {
    const file = resolve(directory, name)
    if ((await stat(file).catch(() => undefined))?.isFile() === true) files.push(file)
  }
  if (files.length > 0) return files.toSorted()
  return { code: 'include-missing', message: `no file fits ${pattern}`, hint: `patterns are relative to ${directory}` }
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

/** Code runs only as the catalog itself: nobody should have to look through includes for it. */
export function isCode(file: string): boolean {
  return /^\.[cm]?[jt]s$/.test(extname(file))
}
