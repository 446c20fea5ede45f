import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { absolutePath } from '../../catalog/index.ts'
import { choice, choose } from '../choose.ts'
import type { FaultContext } from '../contract.ts'
import { allMarkedProcesses } from '../mark.ts'
import { listProcesses, type RunningProcess } from './list.ts'

/** Which processes a fault is about. */
export const processTarget = z
  .strictObject({
    pid: z.int().min(2).describe('One process, by its number.').optional(),
    pidFile: absolutePath.describe('One process, by the file whose first line is its number.').optional(),
    name: z.string().min(1).describe('Those of this name, as `ps -o comm` shows it (15 bytes at most).').optional(),
    command: z.string().min(1).describe('Those whose command line contains this text.').optional(),
    descendants: z.boolean().describe('All that they have started, too.').default(false),
    choose: choice.describe('How many of those that fit, before their descendants.').default('all'),
  })
  .refine(({ pid, pidFile, name, command }) => [pid, pidFile, name, command].some((by) => by !== undefined), {
    message: 'expected pid, pidFile, name or command',
  })

export type ProcessTarget = z.infer<typeof processTarget>

export interface FoundProcesses {
  readonly chosen: readonly RunningProcess[]
  /** How many fit. */
  readonly candidates: number
}

/** Never init, a thread of the kernel, this process, what has started it, or what holds and guards faults. */
export async function findProcesses(target: ProcessTarget, { random }: Pick<FaultContext, 'random'>): Promise<FoundProcesses> {
  const running = listProcesses()
  const spared = new Set([1, ...lineage(running, process.pid), ...(await allMarkedProcesses())])
  const pid = target.pidFile === undefined ? target.pid : await readPidFile(target.pidFile)
  const fitting = running.filter(
    (found) =>
      !spared.has(found.pid) &&
      found.command !== '' &&
      (pid === undefined || found.pid === pid) &&
      (target.name === undefined || found.name === target.name) &&
      (target.command === undefined || found.command.includes(target.command)),
  )
  const chosen = choose(fitting, target.choose, random)
  if (!target.descendants) return { chosen, candidates: fitting.length }
  const below = descendantsOf(
    running,
    chosen.map(({ pid }) => pid),
  )
  const all = new Set([...chosen.map(({ pid }) => pid), ...below])
  return { chosen: running.filter(({ pid }) => all.has(pid) && !spared.has(pid)), candidates: fitting.length }
}

/** NaN, which no process has, where the file says none. */
async function readPidFile(path: string): Promise<number> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return Number.parseInt(text, 10)
}

/** A process and all that it comes from. */
function lineage(running: readonly RunningProcess[], pid: number): number[] {
  const found = running.find((one) => one.pid === pid)
  return found === undefined || pid <= 1 ? [] : [pid, ...lineage(running, found.parent)]
}

function descendantsOf(running: readonly RunningProcess[], pids: readonly number[]): number[] {
  const children = running.filter(({ parent }) => pids.includes(parent)).map(({ pid }) => pid)
  return children.length === 0 ? [] : [...children, ...descendantsOf(running, children)]
}
