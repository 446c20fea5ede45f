import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { parse } from 'yaml'
import { HoldfastError, messageOf, systemCode, type Json } from '../../kernel/index.ts'

/** Throws `not-found`, or `experiment-invalid` for what cannot be read. YAML is read as version 1.1, as PyYAML does it. */
export async function readExperimentFile(path: string): Promise<Json> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (systemCode(cause) !== 'ENOENT') throw cause
    throw new HoldfastError('not-found', { message: `there is no file ${path}`, cause })
  }
  try {
    return extname(path) === '.json' ? (JSON.parse(text) as Json) : (parse(text, { version: '1.1', merge: true }) as Json)
  } catch (cause) {
    throw new HoldfastError('experiment-invalid', { message: `${path} cannot be read: ${messageOf(cause)}`, cause })
  }
}
