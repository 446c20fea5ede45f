import { existsSync, readdirSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { endianness } from 'node:os'

/** A clock that is wrong. */
export interface Skew {
  /** How far it is ahead at first; negative: behind. */
  readonly offsetMs: number
  /** How fast it goes: 2 is twice as fast as it should. */
  readonly rate: number
}

/** For programs with threads and for those without. */
const library = 'libfaketimeMT.so.1'

/** Where distributions put it; undefined where it is not installed. */
export function findLibfaketime(): string | undefined {
  const folders = ['/usr/local/lib', '/usr/lib64', '/usr/lib', ...architectures()].map((folder) => `${folder}/faketime`)
  return folders.map((folder) => `${folder}/${library}`).find((path) => existsSync(path))
}

/** Debian's `/usr/lib/x86_64-linux-gnu`. */
function architectures(): string[] {
  return readdirSync('/usr/lib').flatMap((name) => (name.endsWith('-linux-gnu') ? [`/usr/lib/${name}`] : []))
}

/**
 * What a program is to have in its environment (libfaketime's README). The monotonic clock stays as it is, as with a real clock that is wrong.
 * Its text is read once only: by the time that a program has set its locale, a point may be no decimal point any more.
 */
export function skewedEnvironment(path: string, { offsetMs, rate }: Skew, id: string): Record<string, string> {
  const seconds = `${offsetMs < 0 ? '' : '+'}${offsetMs / 1000}`
  return {
    LD_PRELOAD: path,
    FAKETIME: rate === 1 ? seconds : `${seconds} x${rate}`,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    FAKETIME_CACHE_DURATION: '1000000000',
    FAKETIME_SHARED: `/${sharedName(id)} /${sharedName(id)}`,
  }
}

/**
 * What the processes share: a semaphore and some memory (shm_overview(7), sem_overview(7)). Without it libfaketime makes its own, named after a process,
 * and leaves it behind when that is killed; ours carries our tag.
 */
function sharedName(id: string): string {
  return `holdfast-${id}`
}

const sharedFiles = (id: string) => [`/dev/shm/sem.${sharedName(id)}`, `/dev/shm/${sharedName(id)}`]

/**
 * A semaphore of glibc's (nptl, struct new_sem: its value in the low half of the first 64 bits) with the value 1, and the memory. For whatever user
 * the program runs as.
 */
export async function makeShared(id: string): Promise<void> {
  const semaphore = Buffer.alloc(32)
  semaphore.writeUInt32LE(1, 0)
  if (endianness() === 'BE') semaphore.subarray(0, 8).reverse()
  const [semaphorePath = '', memoryPath = ''] = sharedFiles(id)
  for (const [path, content] of [[semaphorePath, semaphore] as const, [memoryPath, notStarted()] as const]) {
    await using file = await open(path, 'wx', 0o600)
    await file.chmod(0o666)
    await file.write(content)
  }
}

/** The wrong clock starts anew with the next process. */
export async function restartClock(id: string): Promise<void> {
  const [, memoryPath = ''] = sharedFiles(id)
  await using file = await open(memoryPath, 'r+')
  await file.write(notStarted(), 0, undefined, 0)
}

/** libfaketime's struct ft_shared_s, with room for more: two counters, then when the clock was started, whose nanoseconds are -1 for not yet. */
function notStarted(): Buffer {
  const memory = Buffer.alloc(4096)
  memory.fill(0xff, 24, 32)
  return memory
}

export function sharedIsThere(id: string): boolean {
  return sharedFiles(id).some((path) => existsSync(path))
}

export async function removeShared(id: string): Promise<void> {
  for (const path of sharedFiles(id)) await rm(path, { force: true })
}

export function removeSharedByHand(id: string): string {
  return `rm -f ${sharedFiles(id).join(' ')}`
}
