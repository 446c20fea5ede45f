import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { z } from 'zod'
import { blocker, type Finding } from '../../kernel/index.ts'

export const commandParam = z
  .array(z.string().min(1))
  .min(1)
  .describe('A program with its arguments. It is started with the fault, and is ended with it by SIGKILL.')

export function programFindings([program = '']: readonly string[]): Finding[] {
  const folders = program.startsWith('/') ? ['/'] : (process.env.PATH ?? '').split(delimiter)
  const isThere = folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
  return isThere ? [] : [blocker('no-program', `there is no program ${program}`)]
}
