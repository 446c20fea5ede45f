import { readFileSync, rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeFileDurably } from './durable-file.ts'
import { isHoldfastError, systemCode } from './errors.ts'
import { sha256Hex } from './hash.ts'

/**
 * Files in which this machine keeps what it has read elsewhere, so that it need not read it again: a line with the SHA-256 of the rest, and the rest. There may be
 * none at any time.
 */

/** What was kept; undefined where there is none, and where it is not what was written, which is then removed. */
export function readChecked(file: string): string | undefined {
  let content: string
  try {
    content = readFileSync(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return undefined
  }
  const end = content.indexOf('\n')
  const kept = content.slice(end + 1)
  if (end >= 0 && sha256Hex(kept) === content.slice(0, end)) return kept
  try {
    rmSync(file)
  } catch {
    // What cannot be removed is not believed the next time either.
  }
  return undefined
}

/** Whether it could be kept: where there is no place, or no room, it is read again the next time. */
export async function keepChecked(file: string, content: string): Promise<boolean> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFileDurably(file, `${sha256Hex(content)}\n${content}`)
    return true
  } catch (error) {
    if (!isHoldfastError(error) && systemCode(error) === undefined) throw error
    return false
  }
}
