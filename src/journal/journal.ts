import { mkdir, open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { diskFullOr, HoldfastError, syncDirectory, type Json } from '../kernel/index.ts'
import { decodeJournal, encodeLine, type JournalRecord } from './line.ts'
import { acquireOwnerLock, type OwnerLock } from './owner-lock.ts'
import { createJournalReader } from './reader.ts'

export interface Journal extends AsyncDisposable {
  /** What was in it when it was opened. */
  readonly records: readonly JournalRecord[]
  /**
   * Durable when it returns its sequence number. Records appended at the same time share one fsync, in the order of the calls.
   * After a write has failed, every further append fails too: what the file then ends with is not known until it is opened again.
   */
  append(body: Json): Promise<number>
}

export interface JournalOptions {
  /** For the message that another writer gets: `run 4f…`. */
  readonly purpose: string
  /** Called once a record is durable, before its append returns: where crash tests pull the plug. */
  readonly afterRecord?: (seq: number) => void
}

/**
 * Opens the journal at `path` for its only writer, creating it when there is none. A torn last line is cut off.
 * Throws `run-busy` while another live process has it (a dead owner's lock is taken over), and `journal-damaged`.
 */
export async function openJournal(path: string, options: JournalOptions): Promise<Journal> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const lock = await acquireOwnerLock(`${path}.lock`, { purpose: options.purpose })
  try {
    return await openLocked(path, lock, options)
  } catch (error) {
    await lock[Symbol.asyncDispose]()
    throw error
  }
}

/** The records of a journal that another process may be writing; empty when there is none. A line being written is left out. */
export async function readJournal(path: string): Promise<JournalRecord[]> {
  return await createJournalReader(path).readOn()
}

async function openLocked(path: string, lock: OwnerLock, { afterRecord }: JournalOptions): Promise<Journal> {
  const file = await open(path, 'a+', 0o600)
  let length: number
  let records: JournalRecord[]
  try {
    const bytes = await file.readFile()
    const decoded = decodeJournal(bytes, path)
    records = decoded.records
    length = decoded.wholeBytes
    if (length < bytes.length) await file.truncate(length)
    await file.sync()
    await syncDirectory(dirname(path))
    // The folder itself may be new.
    await syncDirectory(dirname(dirname(path)))
  } catch (error) {
    await file.close()
    throw error
  }
  const writer = createWriter(path, file, records.length, afterRecord)
  return {
    records,
    append: (body) => writer.append(body),
    async [Symbol.asyncDispose]() {
      await writer.idle()
      await file.close()
      await lock[Symbol.asyncDispose]()
    },
  }
}

interface Pending {
  readonly seq: number
  readonly line: string
  readonly done: PromiseWithResolvers<number>
}

function createWriter(path: string, file: FileHandle, written: number, afterRecord?: (seq: number) => void) {
  let nextSeq = written + 1
  let queue: Pending[] = []
  let failure: unknown
  let writing: Promise<void> | undefined

  const drain = async () => {
    while (queue.length > 0) {
      const batch = queue
      queue = []
      try {
        if (failure !== undefined) throw failure
        await file.appendFile(batch.map(({ line }) => line).join(''))
        await file.datasync()
      } catch (error) {
        failure ??= diskFullOr(error, path)
        for (const { done } of batch) done.reject(failure)
        continue
      }
      for (const { seq, done } of batch) {
        afterRecord?.(seq)
        done.resolve(seq)
      }
    }
    writing = undefined
  }

  return {
    append(body: Json): Promise<number> {
      if (failure !== undefined) return Promise.reject(asClosed(failure))
      const seq = nextSeq++
      const done = Promise.withResolvers<number>()
      queue.push({ seq, line: encodeLine({ seq, body }), done })
      writing ??= Promise.resolve().then(drain)
      return done.promise
    },
    idle: async () => {
      await writing
    },
  }

  function asClosed(cause: unknown): unknown {
    return cause instanceof HoldfastError
      ? cause
      : new HoldfastError('storage-failed', { message: `cannot write ${path}`, cause })
  }
}
