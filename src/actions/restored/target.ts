import { realpath, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { blocker, formatSize, messageOf, quote, runProcess } from '../../kernel/index.ts'
import { findRunningServer } from '../../postgres/index.ts'
import type { Finding } from '../contract.ts'
import { isEmpty, notEmpty } from './marker.ts'

/** What speaks against restoring `sizeBytes` into a folder. `live`: folders that hold the service's own data. */
export async function targetFindings(target: string, sizeBytes: number, live: readonly string[]): Promise<Finding[]> {
  const findings: Finding[] = []
  if (!(await isEmpty(target))) {
    const isLive = (await Promise.all(live.map((path) => isSamePath(path, target)))).includes(true)
    const { code, message, hint } = notEmpty(target)
    findings.push(
      isLive
        ? blocker(
            'target-is-source',
            `${target} holds the service's own data`,
            'restore into a new folder; move the old one away first if it must be this one',
          )
        : blocker(code, message, hint),
    )
  }
  if ((await findRunningServer(target)) !== undefined) {
    findings.push(blocker('target-in-use', `a PostgreSQL server is running on ${target}`))
  }
  return [...findings, ...(await capacityFindings(target, sizeBytes))]
}

async function capacityFindings(target: string, sizeBytes: number): Promise<Finding[]> {
  try {
    const { bavail, bsize } = await statfs(await nearestExisting(target))
    const free = bavail * bsize
    if (free >= sizeBytes) return []
    const message = `${target} needs ${formatSize(sizeBytes)}, and its file system has ${formatSize(free)} left`
    return [blocker('disk-full', message, 'free space there, or restore elsewhere')]
  } catch (error) {
    return [
      {
        severity: 'warning',
        code: 'capacity-unknown',
        message: `the space left for ${target} cannot be read: ${messageOf(error)}`,
      },
    ]
  }
}

/** Also for a path that does not exist yet, below a link. */
async function isSamePath(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((path) => realpath(path).catch(() => resolve(path))))
  return a === b
}

/** The path itself, or the nearest folder above it that is there. */
export async function nearestExisting(path: string): Promise<string> {
  for (let at = resolve(path); ; at = dirname(at)) {
    const found = await realpath(at).catch(() => undefined)
    if (found !== undefined || dirname(at) === at) return found ?? at
  }
}

/** Makes what was restored survive a power cut, before anything says that it is there. */
export async function syncFileSystem(path: string, signal: AbortSignal): Promise<void> {
  await runProcess('sync', process.platform === 'linux' ? ['-f', path] : [], {}, signal)
}

/** Removing by hand what a restore made. */
export function manualRemoval(folders: readonly string[]): string[] {
  return ['# only what this run restored: look first', ...folders.map((folder) => `rm -r -- ${quote(folder)}`)]
}
