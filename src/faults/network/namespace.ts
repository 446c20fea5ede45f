import { readdirSync, statSync } from 'node:fs'
import { z } from 'zod'
import { bootIdentity, HoldfastError, hostIdentity, runProcess, type ProcessResult } from '../../kernel/index.ts'
import { faultMark } from '../mark.ts'

/** In which network: this process' own, one of `ip netns`, or that of a process. */
export const namespaceParam = z
  .union([
    z.strictObject({ name: z.string().min(1).describe('As `ip netns` knows it.') }),
    z.strictObject({ pid: z.int().min(1).describe('That of a process.') }),
  ])
  .describe('The network namespace. Without it the one that Holdfast runs in.')
  .optional()

export type NamespaceParam = z.infer<typeof namespaceParam>

/** Which network namespace: its inode, on one boot of one machine. Where it was entered is only where to look first. */
export const namespaceTrace = z.strictObject({ inode: z.int(), path: z.string(), host: z.string(), boot: z.string() })
export type NamespaceTrace = z.infer<typeof namespaceTrace>

/** Throws `fault-refused` when there is no such namespace. */
export function findNamespace(param: NamespaceParam): NamespaceTrace {
  const path =
    param === undefined ? '/proc/self/ns/net' : 'name' in param ? `/run/netns/${param.name}` : `/proc/${param.pid}/ns/net`
  const inode = inodeOf(path)
  if (inode === undefined) throw new HoldfastError('fault-refused', { message: `there is no network namespace ${path}` })
  return { inode, path, host: hostIdentity(), boot: bootIdentity() }
}

/**
 * Runs a program in that very namespace. Undefined when it is gone, and with it all that was in it: it may have lost its name and live on in a
 * process, so all processes are asked.
 */
export async function runInNamespace(
  trace: NamespaceTrace,
  command: readonly [string, ...string[]],
  { id, input = '' }: { readonly id: string; readonly input?: string },
  signal: AbortSignal,
): Promise<ProcessResult | undefined> {
  const path = currentPath(trace)
  if (path === undefined) return undefined
  const [program, ...args] = path === '/proc/self/ns/net' ? command : ['nsenter', `--net=${path}`, '--', ...command]
  return await runProcess(program, args, { input, env: { ...process.env, LC_ALL: 'C', ...faultMark(id) } }, signal)
}

export function namespaceInWords({ path }: NamespaceTrace): string {
  return path === '/proc/self/ns/net' ? 'the host' : path
}

/** For commands that people type. */
export function enterByHand({ path }: NamespaceTrace): string {
  return path === '/proc/self/ns/net' ? '' : `nsenter --net=${path} -- `
}

function currentPath({ inode, path, host, boot }: NamespaceTrace): string | undefined {
  if (host !== hostIdentity() || boot !== bootIdentity()) return undefined
  if (inodeOf('/proc/self/ns/net') === inode) return '/proc/self/ns/net'
  if (inodeOf(path) === inode) return path
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && inodeOf(`/proc/${name}/ns/net`) === inode)
  return pid === undefined ? undefined : `/proc/${pid}/ns/net`
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino
  } catch {
    return undefined
  }
}
