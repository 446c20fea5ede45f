import { open, readFile } from 'node:fs/promises'
import { HoldfastError, writeFileDurably, type Json } from '../kernel/index.ts'
import { decodeLine, encodeLine } from './line.ts'

/** How many bytes each statement may take, in the order in which they are in the file. */
export type SlotSizes<Name extends string> = Readonly<Record<Name, number>>

/**
 * A file of a few statements that are made anew in their places, so that writing needs no room on the disk: each has its reserved bytes from
 * the beginning. (A file system that copies on write may need room all the same.) Each statement has one writer at a time; different ones
 * may be written by different processes.
 */
export interface Slots<Name extends string> extends AsyncDisposable {
  /** Durable when it returns. A crash meanwhile may leave the statement unmade: the one before it is gone. Throws `result-too-large`. */
  write(name: Name, statement: Json): Promise<void>
}

/** Makes the file, whole or not at all, with its first statements. */
export async function createSlots<Name extends string>(
  path: string,
  sizes: SlotSizes<Name>,
  first: Readonly<Partial<Record<Name, Json>>>,
): Promise<void> {
  const entries = Object.entries(sizes) as [Name, number][]
  const parts = entries.map(([name, bytes], index) => {
    const statement = first[name]
    return statement === undefined ? blank(bytes) : line(index, statement, bytes)
  })
  await writeFileDurably(path, Buffer.concat(parts))
}

export async function openSlots<Name extends string>(path: string, sizes: SlotSizes<Name>): Promise<Slots<Name>> {
  const file = await open(path, 'r+')
  const places = placesOf(sizes)
  return {
    async write(name, statement) {
      const { index, offset, bytes } = places[name]
      await file.write(line(index, statement, bytes), 0, bytes, offset)
      await file.datasync()
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}

/** Undefined for a statement that was never made, or torn by a crash. */
export async function readSlots<Name extends string>(
  path: string,
  sizes: SlotSizes<Name>,
): Promise<Record<Name, Json | undefined>> {
  const content = await readFile(path)
  const places = Object.entries(placesOf(sizes)) as [Name, Place][]
  return Object.fromEntries(
    places.map(([name, { index, offset, bytes }]) => {
      const text = content.toString('utf8', offset, offset + bytes).trim()
      return [name, text === '' ? undefined : decodeLine(text, index + 1)?.body]
    }),
  ) as Record<Name, Json | undefined>
}

interface Place {
  readonly index: number
  readonly offset: number
  readonly bytes: number
}

function placesOf<Name extends string>(sizes: SlotSizes<Name>): Record<Name, Place> {
  let offset = 0
  const places = (Object.entries(sizes) as [Name, number][]).map(([name, bytes], index) => {
    const place = { index, offset, bytes }
    offset += bytes
    return [name, place]
  })
  return Object.fromEntries(places) as Record<Name, Place>
}

/** Spaces, not zeros: those would not make a file system that looks for them reserve anything. */
function blank(bytes: number): Buffer {
  return Buffer.alloc(bytes, ' ')
}

function line(index: number, statement: Json, bytes: number): Buffer {
  const text = Buffer.from(encodeLine({ seq: index + 1, body: statement }))
  if (text.length > bytes) {
    throw new HoldfastError('result-too-large', { message: `a statement of ${text.length} bytes does not fit into ${bytes}` })
  }
  return Buffer.concat([text, blank(bytes - text.length)])
}
