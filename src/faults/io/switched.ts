import { join } from 'node:path'
import { z } from 'zod'
import { appendLine, readLines } from '../line-file.ts'
import { processTrace } from '../process/identity.ts'

/**
 * What became of the errors: libfiu has answered that there are some in one process more; they were switched off as they were told to be; or who holds
 * the fault has given up, and ended the program.
 */
const switched = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('on'), process: processTrace }),
  z.strictObject({ state: z.literal('over') }),
  z.strictObject({ state: z.literal('failed'), because: z.string() }),
])

export type Switched = z.infer<typeof switched>

/** In the folder of the injection. */
const fileOf = (folder: string) => join(folder, 'switched')

export async function noteSwitched(folder: string, what: Switched): Promise<void> {
  await appendLine(fileOf(folder), what)
}

export async function readSwitched(folder: string): Promise<Switched[]> {
  return await readLines(fileOf(folder), switched)
}
