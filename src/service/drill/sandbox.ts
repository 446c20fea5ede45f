import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, messageOf, systemCode } from '../../kernel/index.ts'
import { stopServerOn } from '../../postgres/index.ts'
import type { DrillCleanUp } from '../../recovery/index.ts'
import { endProcessesOf } from './left-processes.ts'

export interface SandboxFolder {
  readonly runId: string
  readonly folder: string
  readonly keep: boolean
  /** Of this catalog. */
  readonly stateDirectory: string
}

/**
 * Makes the folder of a sandbox. As root, the folders of our own above it are opened for passing through (and for nothing else), so that
 * the account of a database server gets to it. Gives the uppermost folder that it made; undefined when all were there.
 */
export async function openSandbox({ runId, folder, stateDirectory }: SandboxFolder): Promise<string | undefined> {
  const made = await mkdir(folder, { recursive: true, mode: 0o711 })
  await chmod(folder, 0o711)
  if (process.geteuid?.() !== 0 || !folder.startsWith(`${stateDirectory}/`)) return made
  for (const path of [stateDirectory, join(stateDirectory, 'runs'), join(stateDirectory, 'runs', runId)]) {
    await chmod(path, (await stat(path)).mode | 0o011)
  }
  return made
}

/** Ends what runs in a sandbox, and removes it. Takes what is left, so that it can be asked again after a crash. */
export async function cleanUpSandbox({ runId, folder, keep }: SandboxFolder, signal: AbortSignal): Promise<DrillCleanUp> {
  const stopped: string[] = []
  for (const pid of await endProcessesOf(runId, signal)) stopped.push(`process ${pid}`)
  for (const name of await namesIn(folder)) {
    const pid = await stopServerOn(join(folder, name), signal)
    if (pid !== undefined) stopped.push(`PostgreSQL server ${pid} on ${join(folder, name)}`)
  }
  if (keep) return { clean: true, stopped, kept: folder }
  try {
    await removeTree(folder)
  } catch (error) {
    throw new HoldfastError('step-failed', {
      message: `the sandbox ${folder} cannot be removed: ${messageOf(error)}`,
      hint: `see what is in its way, then remove it: rm -r ${folder}`,
      cause: error,
    })
  }
  return { clean: true, stopped }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

/** Also folders that were restored without the right to write into them. */
async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true })
  } catch (error) {
    if (systemCode(error) !== 'EACCES' && systemCode(error) !== 'EPERM') throw error
    await makeWritable(folder)
    await rm(folder, { recursive: true, force: true })
  }
}

async function makeWritable(folder: string): Promise<void> {
  await chmod(folder, 0o700)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(folder, entry.name))
  }
}
