import { mkdir, readdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { HoldfastError, randomHex, syncDirectory, systemCode, writeFileDurably, type Json } from '../../kernel/index.ts'

const json: z.ZodType<Json> = z.json()
const letterBody = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('signal'), name: z.string(), value: json }),
  z.strictObject({ type: z.literal('cancel'), reason: z.string() }),
])

export type LetterBody = z.infer<typeof letterBody>

/** A message to a run from whoever does not own its journal. Its name orders it and keeps it from being recorded twice. */
export type Letter = LetterBody & { readonly letter: string }

/** Durable when it returns. */
export async function postLetter(inbox: string, body: LetterBody): Promise<void> {
  await mkdir(inbox, { recursive: true, mode: 0o700 })
  const name = `${String(Date.now()).padStart(15, '0')}-${randomHex(4)}.json`
  await writeFileDurably(join(inbox, name), JSON.stringify(body))
}

/** Oldest first. */
export async function readLetters(inbox: string): Promise<Letter[]> {
  const letters: Letter[] = []
  for (const letter of await letterNames(inbox)) {
    const path = join(inbox, letter)
    const parsed = letterBody.safeParse(parse(await readFile(path, 'utf8')))
    if (!parsed.success) {
      throw new HoldfastError('journal-damaged', {
        message: `${path} is not a message to a run`,
        hint: 'delete it, and send the approval or cancellation again',
        details: { file: path },
      })
    }
    letters.push({ ...parsed.data, letter })
  }
  return letters
}

/** Only after what it says is in the journal. */
export async function removeLetter(inbox: string, letter: string): Promise<void> {
  await unlink(join(inbox, letter))
  await syncDirectory(inbox)
}

async function letterNames(inbox: string): Promise<string[]> {
  try {
    return (await readdir(inbox)).filter((name) => name.endsWith('.json')).sort()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
