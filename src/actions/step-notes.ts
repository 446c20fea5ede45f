import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { z } from 'zod'
import { sha256Hex, systemCode, writeFileDurably, type Json } from '../kernel/index.ts'
import type { ActionContext } from './contract.ts'

/**
 * What a step must still know after a crash, from before it acts: durable when this returns, one note for each step of a run. Not for
 * results, which the journal keeps, nor for secrets.
 */
export async function writeNote(context: Pick<ActionContext, 'runDirectory'>, idempotencyKey: string, note: Json): Promise<void> {
  await mkdir(join(context.runDirectory, 'notes'), { recursive: true, mode: 0o700 })
  await writeFileDurably(pathOf(context, idempotencyKey), `${JSON.stringify(note)}\n`)
}

/** Undefined when the step has written none. */
export async function readNote<T>(
  context: Pick<ActionContext, 'runDirectory'>,
  idempotencyKey: string,
  shape: z.ZodType<T>,
): Promise<T | undefined> {
  try {
    return shape.parse(JSON.parse(await readFile(pathOf(context, idempotencyKey), 'utf8')))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

function pathOf({ runDirectory }: Pick<ActionContext, 'runDirectory'>, idempotencyKey: string): string {
  return join(runDirectory, 'notes', `${sha256Hex(idempotencyKey).slice(0, 32)}.json`)
}
