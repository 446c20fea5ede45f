import { mkdir, readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { HoldfastError, messageOf, systemCode, writeFileDurably } from '../kernel/index.ts'

/** A record's place and hash: enough to prove that everything up to it is unchanged. */
export interface LedgerHead {
  readonly seq: number
  readonly hash: string
}

// Place 0 stands for a ledger that was found empty after it had records.
const head = z.object({ seq: z.int().nonnegative(), hash: z.string().regex(/^[0-9a-f]{64}$/) })
const ownTip = z.object({ key: z.string(), n: z.int().nonnegative(), hash: head.shape.hash, seq: z.int().nonnegative() })
const content = z.object({ version: z.literal(1), head, lost: z.array(head), own: ownTip.optional() })

/** The newest record that this installation wrote: how many there are, and where the newest stands. */
export type OwnTip = z.infer<typeof ownTip>

/** What this machine remembers of a ledger, outside of it. */
export interface RememberedHeads {
  /** The newest record this machine has seen. */
  readonly head: LedgerHead
  /** Records that were seen once and then were not there any more: kept, so that a later append cannot hide a cut-off tail. */
  readonly lost: readonly LedgerHead[]
  readonly own?: OwnTip | undefined
}

/**
 * What this machine remembers of a ledger, in a file. A file that cannot be had (no home directory, a read-only disk) is `unavailable`,
 * with the reason, and not an error: the ledger itself is whole, and whoever verifies it is told that nothing was remembered.
 */
export interface HeadMemory {
  /** Undefined when nothing is remembered. Throws `ledger-damaged` when the file is not one that Holdfast wrote. */
  recall(): Promise<RememberedHeads | undefined>
  /** An older head than what is there, by a writer that was overtaken, changes nothing but `lost`; the same holds for `own`. */
  remember(newest: LedgerHead, more?: { readonly lost?: readonly LedgerHead[]; readonly own?: OwnTip }): Promise<void>
  /** The heads of the other ledgers that are remembered beside this one's, by the names of their files, which are the ids of the ledgers. */
  others(): Promise<Record<string, LedgerHead>>
  readonly unavailable: string | undefined
}

export const noMemory: HeadMemory = {
  recall: () => Promise.resolve(undefined),
  remember: () => Promise.resolve(),
  others: () => Promise.resolve({}),
  unavailable: undefined,
}

export function openHeadMemory(path: string): HeadMemory {
  let unavailable: string | undefined
  const ifAvailable = async <Value>(work: () => Promise<Value>): Promise<Value | undefined> => {
    try {
      return await work()
    } catch (error) {
      if (!unavailableCodes.has(systemCode(error) ?? '')) throw error
      unavailable = messageOf(error)
      return undefined
    }
  }
  return {
    recall: () => ifAvailable(() => readHeadFile(path)),
    async remember(newest, { lost = [], own } = {}) {
      await ifAvailable(() => rememberHead(path, newest, lost, own))
    },
    others: async () => (await ifAvailable(() => otherHeads(path))) ?? {},
    get unavailable() {
      return unavailable
    },
  }
}

const unavailableCodes = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'])

async function readHeadFile(path: string): Promise<RememberedHeads | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    return content.parse(JSON.parse(text))
  } catch (cause) {
    throw new HoldfastError('ledger-damaged', {
      message: `${path} does not hold a remembered ledger head`,
      hint: 'check the ledger with `holdfast ledger verify --head HASH` and a hash noted elsewhere, then delete that file',
      cause,
      details: { path },
    })
  }
}

async function rememberHead(path: string, newest: LedgerHead, lost: readonly LedgerHead[], own?: OwnTip): Promise<void> {
  const before = await readHeadFile(path)
  const allLost = new Map([...(before?.lost ?? []), ...lost].map((entry) => [entry.hash, entry]))
  const replaced = before !== undefined && allLost.has(before.head.hash)
  const kept = before !== undefined && !replaced && before.head.seq >= newest.seq ? before.head : newest
  const overtaken = own === undefined || (before?.own?.key === own.key && before.own.n >= own.n)
  const keptOwn = overtaken ? before?.own : own
  const isSame = before !== undefined && kept === before.head && allLost.size === before.lost.length && keptOwn === before.own
  if (isSame) return
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = { version: 1, head: kept, lost: [...allLost.values()], own: keptOwn } satisfies z.infer<typeof content>
  await writeFileDurably(path, `${JSON.stringify(file)}\n`)
}

const idOfFile = /^([0-9a-f]{64})\.json$/

async function otherHeads(path: string): Promise<Record<string, LedgerHead>> {
  const heads: Record<string, LedgerHead> = {}
  for (const name of await readdir(dirname(path)).catch(() => [])) {
    const id = idOfFile.exec(name)?.[1]
    if (id === undefined || name === basename(path)) continue
    // Another ledger's file that is damaged is for that one's verification to tell.
    const remembered = await readHeadFile(join(dirname(path), name)).catch(() => undefined)
    if (remembered && remembered.head.seq > 0) heads[id] = remembered.head
  }
  return heads
}
