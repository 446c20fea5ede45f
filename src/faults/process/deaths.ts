import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { systemCode } from '../../kernel/index.ts'
import { processTrace, type ProcessTrace } from './identity.ts'

/** One line for each process that was seen to be gone after it was killed, in the folder of the injection. */
const fileName = 'deaths'

export async function noteDeath(folder: string, dead: ProcessTrace): Promise<void> {
  await appendFile(join(folder, fileName), `${JSON.stringify(dead)}\n`)
}

/** A line that a kill has cut short is none. */
export async function readDeaths(folder: string): Promise<ProcessTrace[]> {
  const text = await readFile(join(folder, fileName), 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return ''
    throw error
  })
  return z.array(processTrace).parse(
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown),
  )
}
