import { join } from 'node:path'
import { z } from 'zod'
import { appendLine, readLines } from '../line-file.ts'
import { processTrace } from '../process/identity.ts'

/** What libfiu has answered that it does: in one process more, or in none any more. */
const switched = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('on'), process: processTrace }),
  z.strictObject({ state: z.literal('off'), because: z.string() }),
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
