import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The file that execvp(3) would run: a name with a slash is a path, another one is looked for in PATH. Undefined when there is none that may be run. */
export function programAt(program: string): string | undefined {
  if (program === '') return undefined
  if (program.includes('/')) return mayRun(program) ? program : undefined
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find(mayRun)
}

function mayRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
