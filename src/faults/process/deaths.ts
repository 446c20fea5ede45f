import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../../kernel/index.ts'
import { appendLine, readLines } from '../line-file.ts'
import { processTrace, type ProcessTrace } from './identity.ts'

/** One line for each process that was seen to be gone after it was killed, in the folder of the injection. */
const deathsIn = (folder: string) => join(folder, 'deaths')
/** Why who kills has ended by itself. */
const endIn = (folder: string) => join(folder, 'end')

export async function noteDeath(folder: string, dead: ProcessTrace): Promise<void> {
  await appendLine(deathsIn(folder), dead)
}

export async function readDeaths(folder: string): Promise<ProcessTrace[]> {
  return await readLines(deathsIn(folder), processTrace)
}

export async function noteEnd(folder: string, because: string): Promise<void> {
  await writeFile(endIn(folder), because)
}

/** Undefined where it has not ended by itself. */
export async function readEnd(folder: string): Promise<string | undefined> {
  try {
    return await readFile(endIn(folder), 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
