import { z } from 'zod'
import { blocker, programAt, type Finding } from '../../kernel/index.ts'

export const commandParam = z
  .array(z.string().min(1))
  .min(1)
  .describe('A program with its arguments. It is started with the fault, and is ended with it by SIGKILL.')

export function programFindings([program = '']: readonly string[]): Finding[] {
  return programAt(program) === undefined ? [blocker('no-program', `there is no program ${program}`)] : []
}
