import { appendFile, readFile } from 'node:fs/promises'
import { z } from 'zod'
import { systemCode, type Json } from '../kernel/index.ts'

/** Adds a line with a value as JSON. */
export async function appendLine(path: string, value: Json): Promise<void> {
  await appendFile(path, `${JSON.stringify(value)}\n`)
}

/** None where there is no file. A line that a kill has cut short is none. */
export async function readLines<T>(path: string, schema: z.ZodType<T>): Promise<T[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return ''
    throw error
  })
  const lines = text.split('\n').slice(0, -1)
  return z.array(schema).parse(lines.map((line) => JSON.parse(line) as unknown))
}
