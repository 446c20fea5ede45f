import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { systemCode } from '../../kernel/index.ts'
import { processTrace, type ProcessTrace } from './identity.ts'

/** One line for each process that was seen to be gone after it was killed, in the folder of the injection. */
const fileName = 'deaths'
/** Why who kills has ended by itself. */
const endName = 'end'

export async function noteDeath(folder: string, dead: ProcessTrace): Promise<void> {
  await appendFile(join(folder, fileName), `${JSON.stringify(dead)}\n`)
}

/** A line that a kill has cut short is none. */
export async function readDeaths(folder: string): Promise<ProcessTrace[]> {
  const text = (await tryRead(join(folder, fileName))) ?? ''
  return z.array(processTrace).parse(
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown),
  )
}

export async function noteEnd(folder: string, because: string): Promise<void> {
  await writeFile(join(folder, endName), because)
}

/** Undefined where it has not ended by itself. */
export async function readEnd(folder: string): Promise<string | undefined> {
  return await tryRead(join(folder, endName))
}

async function tryRead(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
