import { z } from 'zod'
import { blocker, HoldfastError, type Finding } from '../../kernel/index.ts'
import { absent, partly, present, type FaultContext, type Sight } from '../contract.ts'
import { enterByHand, findNamespace, namespaceTrace, runInNamespace, type NamespaceParam } from './namespace.ts'

/**
 * A table of our own in the kernel's packet filter (nft(8)), named after the injection. What it matches is in sets whose elements expire at the
 * deadline: then it matches nothing, also when nobody is left to delete it.
 */
export const tableTrace = z.strictObject({
  namespace: namespaceTrace,
  /** The sets with what they must hold as long as the fault is there. */
  sets: z.record(z.string(), z.array(z.string())),
})

export type TableTrace = z.infer<typeof tableTrace>

export interface TableSet {
  readonly name: string
  /** Of nft: `ipv4_addr`, `inet_service`. */
  readonly type: string
  readonly elements: readonly string[]
}

export function tableName(id: string): string {
  return `holdfast_${id}`
}

/** In what a netfilter table is in the way of nobody: it only drops, and only what is in its sets. Hooks before and after all address translation. */
export async function addTable(
  trace: TableTrace,
  sets: readonly TableSet[],
  rules: { readonly incoming: readonly string[]; readonly outgoing: readonly string[] },
  { id, experiment, deadlineMs, clock }: FaultContext,
  signal: AbortSignal,
): Promise<void> {
  const leftMs = Math.max(1, Math.round(deadlineMs - clock.monotonicMs()))
  const lines = [
    `create table inet ${tableName(id)} { comment "holdfast: ${experiment.replaceAll(/[^\w .-]/g, '_').slice(0, 80)}"; }`,
    `table inet ${tableName(id)} {`,
    ...sets.map(
      ({ name, type, elements }) =>
        `set ${name} { type ${type}; flags interval, timeout; elements = { ${elements.map((one) => `${one} timeout ${leftMs}ms`).join(', ')} }; }`,
    ),
    `chain incoming { type filter hook prerouting priority -400; policy accept; ${rules.incoming.join('; ')}; }`,
    `chain outgoing { type filter hook postrouting priority 400; policy accept; ${rules.outgoing.join('; ')}; }`,
    '}',
  ]
  const result = await runInNamespace(trace.namespace, ['nft', '-f', '-'], { id, input: `${lines.join('\n')}\n` }, signal)
  if (result === undefined) throw new HoldfastError('fault-failed', { message: 'the network namespace is gone' })
  if (result.exitCode !== 0)
    throw new HoldfastError('fault-failed', { message: `nft: ${result.stderr.trim().split('\n')[0] ?? ''}` })
}

/** Absent with its namespace. */
export async function lookAtTable({ namespace, sets }: TableTrace, id: string, signal: AbortSignal): Promise<Sight> {
  const result = await runInNamespace(namespace, ['nft', '-j', 'list', 'table', 'inet', tableName(id)], { id }, signal)
  if (result === undefined) return absent
  if (result.exitCode !== 0) return isMissing(result.stderr) ? absent : { state: 'unknown', because: result.stderr.trim() }
  const listed = JSON.parse(result.stdout) as { nftables: { set?: { name: string; elem?: unknown[] } }[] }
  for (const [name, elements] of Object.entries(sets)) {
    const held = listed.nftables.find(({ set }) => set?.name === name)?.set?.elem?.length ?? 0
    if (held < elements.length) return partly(`of the ${elements.length} that ${name} should hold, ${held} have not expired`)
  }
  return present
}

/** Deleting what is added in the same transaction works whether it was there or not. */
export async function deleteTable({ namespace }: TableTrace, id: string, signal: AbortSignal): Promise<void> {
  const table = `table inet ${tableName(id)}`
  const result = await runInNamespace(namespace, ['nft', '-f', '-'], { id, input: `add ${table}\ndelete ${table}\n` }, signal)
  if (result === undefined || result.exitCode === 0) return
  throw new HoldfastError('command-failed', { message: `nft: ${result.stderr.trim()}`, retryable: true })
}

export function deleteTableByHand({ namespace }: TableTrace, id: string): string {
  return `${enterByHand(namespace)}nft delete table inet ${tableName(id)}`
}

/** Whether nft can be used in that namespace. */
export async function nftFindings(param: NamespaceParam, { id }: FaultContext, signal: AbortSignal): Promise<Finding[]> {
  try {
    const result = await runInNamespace(findNamespace(param), ['nft', 'list', 'tables'], { id }, signal)
    if (result?.exitCode === 0) return []
    return [blocker('nft-unusable', `nft: ${result?.stderr.trim() ?? 'gone'}`, 'run as root')]
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
    const hint =
      error.code === 'not-found' ? 'install nftables: iptables is not enough, its rules do not expire by themselves' : error.hint
    return [blocker('nft-unusable', error.message, hint)]
  }
}

function isMissing(stderr: string): boolean {
  return stderr.includes('No such file or directory')
}
