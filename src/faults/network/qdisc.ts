import { z } from 'zod'
import { blocker, HoldfastError, runProcess, type Finding } from '../../kernel/index.ts'
import { absent, partly, present, type Sight, type TraceContext } from '../contract.ts'
import {
  enterByHand,
  findNamespace,
  namespaceTrace,
  runInNamespace,
  type NamespaceParam,
  type NamespaceTrace,
} from './namespace.ts'

/** The queueing discipline at the root of a device, ours by its handle (tc(8)): a device has one, so another's is never replaced. */
export const qdiscTrace = z.strictObject({
  namespace: namespaceTrace,
  device: z.string(),
  kind: z.enum(['netem', 'tbf']),
  handle: z.string().regex(/^[0-9a-f]{4}:$/),
})

export type QdiscTrace = z.infer<typeof qdiscTrace>

export const deviceParam = z
  .string()
  .regex(/^[^\s/]{1,15}$/)
  .meta({ expected: 'the name of a network device, such as eth0' })

interface Listed {
  readonly kind: string
  readonly handle: string
  readonly root?: boolean
}

/** 1000: to efff:, from the injection's tag. */
export function handleOf(id: string): string {
  return `${((Number.parseInt(id.slice(0, 6), 16) % 0xe000) + 0x1000).toString(16)}:`
}

export async function addQdisc(
  trace: QdiscTrace,
  options: readonly string[],
  { id }: TraceContext,
  signal: AbortSignal,
): Promise<void> {
  const { device, handle, kind, namespace } = trace
  const command = ['tc', 'qdisc', 'add', 'dev', device, 'root', 'handle', handle, kind, ...options] as const
  const result = await runInNamespace(namespace, [...command], { id }, signal)
  if (result?.exitCode !== 0)
    throw new HoldfastError('fault-failed', { message: `tc: ${result?.stderr.trim() ?? 'the network namespace is gone'}` })
}

/** Absent with its device or namespace. */
export async function lookAtQdisc(
  { namespace, device, kind, handle }: QdiscTrace,
  { id }: TraceContext,
  signal: AbortSignal,
): Promise<Sight> {
  const root = await rootOf(namespace, device, id, signal)
  if (root?.handle !== handle) return absent
  return root.kind === kind ? present : partly(`${device} has our handle ${handle}, with ${root.kind}`)
}

/** The kernel itself compares the handle: in between it cannot become another's. */
export async function deleteQdisc(trace: QdiscTrace, context: TraceContext, signal: AbortSignal): Promise<void> {
  const { namespace, device, handle } = trace
  if ((await lookAtQdisc(trace, context, signal)).state === 'absent') return
  const result = await runInNamespace(namespace, ['tc', 'qdisc', 'del', 'dev', device, 'root', 'handle', handle], context, signal)
  if (result === undefined || result.exitCode === 0 || (await lookAtQdisc(trace, context, signal)).state === 'absent') return
  throw new HoldfastError('command-failed', { message: `tc: ${result.stderr.trim()}`, retryable: true })
}

export function deleteQdiscByHand({ namespace, device, handle }: QdiscTrace): string {
  return `${enterByHand(namespace)}tc qdisc del dev ${device} root handle ${handle}`
}

export async function qdiscFindings(
  param: NamespaceParam,
  device: string,
  kind: QdiscTrace['kind'],
  id: string,
  signal: AbortSignal,
): Promise<Finding[]> {
  try {
    const root = await rootOf(findNamespace(param), device, id, signal)
    if (root === undefined) return [blocker('no-device', `there is no network device ${device}`)]
    // What the kernel gives a device by itself has no handle.
    if (root.handle !== '0:')
      return [blocker('foreign-qdisc', `${device} has a queueing discipline already: ${root.kind} ${root.handle}`)]
    const refusal = await kernelRefuses(kind, signal)
    if (refusal === undefined) return []
    const hint = kind === 'netem' ? 'use tcp.toxic, or network.loss, which need nothing of the kernel' : 'run as root'
    return [blocker('no-qdisc', `${kind} is unavailable here: ${refusal}`, hint)]
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
    return [blocker('tc-unusable', error.message, error.hint)]
  }
}

/** In a namespace of its own, which is gone when the question is answered. */
async function kernelRefuses(kind: QdiscTrace['kind'], signal: AbortSignal): Promise<string | undefined> {
  const options = kind === 'netem' ? [] : ['rate', '1mbit', 'burst', '32kbit', 'latency', '50ms']
  const result = await runProcess(
    'unshare',
    ['--net', '--', 'tc', 'qdisc', 'add', 'dev', 'lo', 'root', kind, ...options],
    {},
    signal,
  )
  return result.exitCode === 0 ? undefined : result.stderr.trim().split('\n')[0]
}

/** Undefined without the device. */
async function rootOf(namespace: NamespaceTrace, device: string, id: string, signal: AbortSignal): Promise<Listed | undefined> {
  const result = await runInNamespace(namespace, ['tc', '-j', 'qdisc', 'show', 'dev', device], { id }, signal)
  if (result === undefined || /Cannot find device/.test(result.stderr)) return undefined
  if (result.exitCode !== 0) throw new HoldfastError('command-failed', { message: `tc: ${result.stderr.trim()}` })
  return (JSON.parse(result.stdout || '[]') as Listed[]).find(({ root }) => root === true)
}
