import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/**
 * The file that execvp(3) would run: a name with a slash is a path, another one is looked for in PATH. Undefined when there is none that may be run, also where
 * an empty or relative part of PATH leads to one below the working folder.
 */
export function programAt(program: string): string | undefined {
  if (program === '') return undefined
  if (program.includes('/')) return mayRun(program) ? program : undefined
  return programFolders()
    .map((folder) => join(folder, program))
    .find(mayRun)
}

/** The folders of PATH; without one those of execvp(3). Empty and relative parts lead to the working folder, where anybody may have put anything: they are left out. */
export function programFolders(): string[] {
  return (process.env.PATH ?? '/bin:/usr/bin').split(delimiter).filter(isAbsolute)
}

/** It is a file that this process may execute. */
export function mayRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
