/**
 * The watchdog, a process of its own: `watchdog-worker DIRECTORY LEASE_MS BUDGET_MS`. It takes back what it guards when its lease is lost (whoever
 * injected ended, hangs, or was killed), at each fault's deadline, and when it is told to end itself. Everything that it needs is loaded and
 * open before the first injection: a full disk does not stop it.
 */
import { writeFileSync } from 'node:fs'
import { faults } from '../../faults/index.ts'
import { messageOf, processState, systemClock as clock } from '../../kernel/index.ts'
import { clear } from './clear.ts'
import { recall } from './recall.ts'
import { readLines, sendLine, type FromWatchdog, type ToWatchdog } from './protocol.ts'
import { openRecordSlots, removeFolder, say, type RecordSlots } from './record.ts'
import { sweep } from './sweep.ts'
import { traceContext } from './trace-context.ts'

type Guarded = Extract<ToWatchdog, { say: 'guard' }> & { readonly slots: RecordSlots; clearing?: Promise<void> }

const [directory = '', ...limits] = process.argv.slice(2)
const [leaseMs = 0, budgetMs = 0] = limits.map(Number)
const tickMs = Math.max(10, Math.min(250, leaseMs / 10))
const deathShowsMs = 1000
const guarded = new Map<string, Guarded>()
const { signal } = new AbortController()
let heardMs = clock.monotonicMs()
let leaseLost = false

surviveMemoryPressure()
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => void loseLease())
process.stdout.on('error', () => {})
setInterval(() => {
  if (clock.monotonicMs() - heardMs > leaseMs) void loseLease()
  else for (const fault of guarded.values()) if (clock.monotonicMs() >= fault.record.deadline.monotonicMs) void takeBack(fault)
}, tickMs)
tell({ say: 'ready' })
try {
  for await (const message of readLines<ToWatchdog>(process.stdin)) await hear(message)
} finally {
  await loseLease()
}

async function hear(message: ToWatchdog): Promise<void> {
  heardMs = clock.monotonicMs()
  if (message.say === 'guard') {
    const { id } = message.record
    try {
      if (leaseLost) throw new Error('its lease is lost')
      recall(faults, message.record)
      guarded.set(id, { ...message, slots: await openRecordSlots(message.path) })
      tell({ say: 'guarding', id })
    } catch (error) {
      tell({ say: 'refused', id, because: messageOf(error) })
    }
  } else if (message.say === 'release') {
    const fault = guarded.get(message.id)
    guarded.delete(message.id)
    await fault?.clearing
    await fault?.slots[Symbol.asyncDispose]()
    tell({ say: 'released', id: message.id })
  }
}

/** From here on it only takes back, and ends when that is done. */
async function loseLease(): Promise<void> {
  if (leaseLost) return
  leaseLost = true
  // Also what was taken back at its deadline: an injector that was late may have injected it since.
  await Promise.all([...guarded.values()].map(takeBackAgain))
  await sweepLeft().catch(() => {})
  process.exit(0)
}

/** A record may have been made just before its injector died, and never been given to us. That it is dead shows a moment after its end of the line. */
async function sweepLeft(): Promise<void> {
  const endMs = clock.monotonicMs() + deathShowsMs
  for (;;) {
    const swept = await sweep({ directory, faults }, signal)
    if (!swept.some(({ state }) => state === 'held') || clock.monotonicMs() > endMs) return
    await clock.sleep(50)
  }
}

async function takeBackAgain(fault: Guarded): Promise<void> {
  await fault.clearing
  await clearAndSay(fault)
}

async function takeBack(fault: Guarded): Promise<void> {
  fault.clearing ??= clearAndSay(fault)
  await fault.clearing
}

/**
 * A record is closed only when its injector is dead, too: one that hangs may go on, and inject what was taken back before it was there. What is said
 * on the disk is for those who come later; that it cannot be said must not keep the fault.
 */
async function clearAndSay({ record, slots }: Guarded): Promise<void> {
  const { id } = record
  try {
    await clear(recall(faults, record), traceContext(directory, record, clock), budgetMs, signal)
    tell({ say: 'cleared', id })
    if (!(await isDead(record))) return await say(slots, 'watchdog', 'ending', clock.now())
    await removeFolder(directory, id)
    await say(slots, 'watchdog', 'closed', clock.now())
  } catch (error) {
    await say(slots, 'watchdog', 'failed', clock.now(), messageOf(error)).catch(() => {})
  }
}

/** That it is dead shows a moment after its end of the line. */
async function isDead({ injector }: Guarded['record']): Promise<boolean> {
  const endMs = clock.monotonicMs() + (leaseLost ? deathShowsMs : 0)
  for (;;) {
    if ((await processState(injector)) === 'gone') return true
    if (clock.monotonicMs() >= endMs) return false
    await clock.sleep(20)
  }
}

function tell(message: FromWatchdog): void {
  sendLine(process.stdout, message)
}

/** The last to be ended when memory is short. Only root may ask for less than it has. */
function surviveMemoryPressure(): void {
  for (const score of ['-1000', '0']) {
    try {
      writeFileSync('/proc/self/oom_score_adj', score)
      return
    } catch {
      // Not allowed, or not Linux.
    }
  }
}
