import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { parse } from 'yaml'
import { HoldfastError, messageOf, systemCode, type Json } from '../../kernel/index.ts'

/** Throws `not-found`, or `experiment-invalid` for what cannot be read. */
export async function readExperimentFile(path: string): Promise<Json> {
  return parseByName(path, await readText(path))
}

/** Throws `not-found`. */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (systemCode(cause) !== 'ENOENT') throw cause
    throw new HoldfastError('not-found', { message: `there is no file ${path}`, cause })
  }
}

/** JSON where the name of the file says so, else YAML, which is read as version 1.1, as PyYAML does it. Throws `experiment-invalid`. */
export function parseByName(path: string, text: string): Json {
  try {
    return extname(path) === '.json' ? (JSON.parse(text) as Json) : (parse(text, { version: '1.1', merge: true }) as Json)
  } catch (cause) {
    throw new HoldfastError('experiment-invalid', { message: `${path} cannot be read: ${messageOf(cause)}`, cause })
  }
}
