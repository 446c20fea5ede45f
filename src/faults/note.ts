import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { systemCode, writeFileDurably, type Json } from '../kernel/index.ts'
import type { TraceContext } from './contract.ts'

/**
 * What a fault keeps of its order where the real thing keeps nothing of who gave it: written beside the record just before the order is given. Without
 * a note nothing was ordered, and what is found was done by somebody else. It is there before the order, so what is ordered has its note also when
 * whoever injected was killed in between, or the disk is full; an undo only reads it.
 */
const noteOf = ({ folder }: TraceContext) => join(folder, 'note.json')

/** Durable when this returns; a crash leaves the old one or the new. Throws `disk-full`. */
export async function writeNote(context: TraceContext, content: Json = {}): Promise<void> {
  await writeFileDurably(noteOf(context), JSON.stringify(content))
}

/** Undefined where there is none. */
export async function readNote<T>(context: TraceContext, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(noteOf(context), 'utf8')))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

export async function isNoted(context: TraceContext): Promise<boolean> {
  return (await readNote(context, z.json())) !== undefined
}

/** One that is gone already is no matter. */
export async function removeNote(context: TraceContext): Promise<void> {
  await rm(noteOf(context), { force: true })
}

/**
 * Writes a note for an order that is given next. `check` throws when the target is not as it was planned any more: it is asked before the note, so that
 * a kill leaves none for what was not ours to order, and once more after it, for a durable write takes its time.
 */
export async function noteOrder(context: TraceContext, check: () => Promise<void>): Promise<void> {
  await check()
  await writeNote(context)
  try {
    await check()
  } catch (error) {
    await removeNote(context)
    throw error
  }
}
