import { runProcess } from '../kernel/index.ts'

/** A command in a network namespace of its own, with nothing in it but a loopback. The process stays the same: unshare becomes the command. */
export function inOwnNetwork(program: string, args: readonly string[]): [string, string[]] {
  return ['unshare', ['--net', '--', 'sh', '-c', 'ip link set lo up 2>/dev/null; exec "$@"', 'sh', program, ...args]]
}

/** Why commands cannot be given a network of their own here; undefined when they can. */
export async function noOwnNetwork(signal: AbortSignal): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'only Linux has network namespaces'
  if (process.geteuid?.() !== 0) return 'only root can make a network namespace'
  try {
    const { exitCode, stderr } = await runProcess(...inOwnNetwork('true', []), {}, signal)
    return exitCode === 0 ? undefined : `unshare: ${stderr.trim().split('\n').at(-1) ?? ''}`
  } catch {
    signal.throwIfAborted()
    return 'there is no program unshare'
  }
}
