import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { z } from 'zod'
import { blocker, type Finding } from '../../kernel/index.ts'

export const commandParam = z
  .array(z.string().min(1))
  .min(1)
  .describe('A program with its arguments. It is started with the fault, and is ended with it by SIGKILL.')

/** As execvp(3) looks for it: a name with a slash is a path. */
export function programFindings([program = '']: readonly string[]): Finding[] {
  const paths = program.includes('/')
    ? [program]
    : (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, program))
  return paths.some(isProgram) ? [] : [blocker('no-program', `there is no program ${program}`)]
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
