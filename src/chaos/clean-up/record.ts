import { readdir, rm, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { createSlots, openSlots, readSlots, type Slots } from '../../journal/index.ts'
import { HoldfastError, systemCode } from '../../kernel/index.ts'

const identity = z.strictObject({ pid: z.int(), started: z.string(), host: z.string(), boot: z.string() })

/** What is durable before a fault is injected: enough to take it back without whoever injected it. */
const faultRecord = z.strictObject({
  version: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{16}$/),
  experiment: z.string(),
  kind: z.string(),
  params: z.json(),
  /** In words, for people. */
  targets: z.array(z.string()),
  traces: z.json(),
  /** Who injects it. */
  injector: identity,
  at: z.iso.datetime(),
  /** After which nothing of it may be left: the wall clock for people and other boots, the monotonic one for this boot. */
  deadline: z.strictObject({ at: z.iso.datetime(), monotonicMs: z.number() }),
})

export type FaultRecord = z.infer<typeof faultRecord>

/** What one of those who may take a fault back says of it. */
const statement = z.strictObject({
  state: z.enum(['injecting', 'injected', 'ending', 'closed', 'failed']),
  at: z.iso.datetime(),
  /** Why it could not be taken back. */
  because: z.string().optional(),
})

export type Statement = z.infer<typeof statement>

/** Each writes its own, so that none needs a lock, which would need room on the disk. */
export const speakers = ['injector', 'watchdog', 'sweeper'] as const
export type Speaker = (typeof speakers)[number]

export type RecordSlots = Slots<'record' | Speaker>

const sizes = { record: 64 * 1024, injector: 4096, watchdog: 4096, sweeper: 4096 }
/** Longer ones would not fit. */
const longestReason = 2000

/** A record with what was said of it since. */
export interface OpenedRecord {
  readonly path: string
  readonly record: FaultRecord
  readonly statements: Readonly<Partial<Record<Speaker, Statement>>>
  /** Somebody has seen that nothing is left of it. */
  readonly closed: boolean
}

/** Durable when it returns the path; the folder for what the fault keeps in files is made too. */
export async function createRecord(directory: string, record: FaultRecord): Promise<string> {
  const path = join(directory, `${record.id}.record`)
  await mkdir(folderOf(directory, record.id), { recursive: true, mode: 0o700 })
  await createSlots(path, sizes, { record })
  return path
}

export async function openRecordSlots(path: string): Promise<RecordSlots> {
  return await openSlots(path, sizes)
}

export async function say(
  slots: RecordSlots,
  speaker: Speaker,
  state: Statement['state'],
  at: Date,
  because?: string,
): Promise<void> {
  const reason = because === undefined ? {} : { because: because.slice(0, longestReason) }
  await slots.write(speaker, { state, at: at.toISOString(), ...reason })
}

/** All records of a directory, closed ones too, oldest first. Throws `journal-damaged` for one that cannot be read: a fault may hide in it. */
export async function readRecords(directory: string): Promise<OpenedRecord[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  })
  const found = await Promise.all(
    names.filter((name) => /^[0-9a-f]{16}\.record$/.test(name)).map((name) => readRecord(join(directory, name))),
  )
  return found.flat().sort((a, b) => a.record.at.localeCompare(b.record.at))
}

/** Of an injection: where a fault keeps what it must keep in files. */
export function folderOf(directory: string, id: string): string {
  return join(directory, id)
}

export async function removeFolder(directory: string, id: string): Promise<void> {
  await rm(folderOf(directory, id), { recursive: true, force: true })
}

/** Empty for one that was removed meanwhile. */
async function readRecord(path: string): Promise<OpenedRecord[]> {
  const said = await readSlots(path, sizes).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  })
  if (said === undefined) return []
  const record = faultRecord.safeParse(said.record)
  if (!record.success) {
    throw new HoldfastError('journal-damaged', {
      message: `the record of a fault ${path} cannot be read`,
      hint: 'see that nothing of the experiment is left, then delete the file',
      details: { file: path },
    })
  }
  const statements = Object.fromEntries(
    speakers.flatMap((speaker) => {
      const parsed = statement.safeParse(said[speaker])
      return parsed.success ? [[speaker, parsed.data]] : []
    }),
  ) as OpenedRecord['statements']
  return [{ path, record: record.data, statements, closed: Object.values(statements).some(({ state }) => state === 'closed') }]
}
