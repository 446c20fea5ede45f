import { isMissing, readObject, type Connection } from '../../clusters/index.ts'
import { HoldfastError, isHoldfastError, type Json } from '../../kernel/index.ts'
import { absent, partly, present, type Fault, type Sight, type TraceContext } from '../contract.ts'
import { kubectl, openCluster, type ClusterTrace } from './api.ts'

/** A member of an object that a fault changes, with an annotation that says whose change it is and what it was before. */
export interface Change {
  readonly path: string
  /** For messages: `Deployment shop/web`. */
  readonly what: string
  /** A JSON pointer, such as /spec/replicas. */
  readonly pointer: string
  readonly value: Json
  /** Null: the member was not there. */
  readonly before: Json
  readonly uid: string
}

const annotation = 'holdfast.dev/fault'
const escaped = annotation.replaceAll('/', '~1')

/** What a fault does that is one such change, and nothing else. */
export function changing<Traces extends { readonly cluster: ClusterTrace }>(
  changeOf: (traces: Traces) => Change,
): Pick<Fault<unknown, Traces>, 'inject' | 'look' | 'undo'> {
  return {
    inject: (_params, traces, context, signal) =>
      within(traces, context, signal, (connection) => change(connection, changeOf(traces), context.id)),
    look: (traces, context, signal) =>
      within(traces, context, signal, (connection) => lookAtChange(connection, changeOf(traces), context.id)),
    undo: (traces, context, signal) =>
      within(traces, context, signal, (connection) => changeBack(connection, changeOf(traces), context.id)),
  }
}

/** The command that takes the annotation off again; `object` as kubectl takes it: `node/worker-3`. */
export function annotateBack(cluster: ClusterTrace, ...object: readonly string[]): string {
  return kubectl(cluster, 'annotate', ...object, `${annotation}-`)
}

async function within<T>(
  { cluster }: { readonly cluster: ClusterTrace },
  context: TraceContext,
  signal: AbortSignal,
  act: (connection: Connection) => Promise<T>,
): Promise<T> {
  await using connection = await openCluster(cluster, context, signal)
  return await act(connection)
}

/** All of it or nothing. Throws `fault-refused` when another fault has changed it already. */
export async function change(connection: Connection, { path, what, pointer, value, uid }: Change, id: string): Promise<void> {
  const found = await readObject(connection, path, what)
  if (found === undefined) throw new HoldfastError('fault-refused', { message: `${what} is gone` })
  const { annotations } = found.metadata
  if (annotations?.[annotation] !== undefined) {
    throw new HoldfastError('fault-refused', {
      message: `${what} is changed by another fault already: ${annotations[annotation]}`,
    })
  }
  const gone = (error: unknown) => {
    throw isMissing(error) ? new HoldfastError('fault-refused', { message: `${what} is gone`, cause: error }) : error
  }
  await patch(connection, path, what, [
    { op: 'test', path: '/metadata/uid', value: uid },
    { op: 'test', path: '/metadata/resourceVersion', value: found.metadata.resourceVersion ?? null },
    ...(annotations === undefined ? [{ op: 'add', path: '/metadata/annotations', value: {} }] : []),
    { op: 'add', path: `/metadata/annotations/${escaped}`, value: id },
    { op: 'add', path: pointer, value },
  ]).catch(gone)
}

/** Absent with the object, also when another has its name by now. */
export async function lookAtChange(
  connection: Connection,
  { path, what, pointer, value, uid }: Change,
  id: string,
): Promise<Sight> {
  const found = await readObject(connection, path, what)
  if (found?.metadata.uid !== uid || found.metadata.annotations?.[annotation] !== id) return absent
  const now = pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], found)
  return now === value ? present : partly(`somebody else has set ${pointer} of ${what} to ${JSON.stringify(now) ?? 'nothing'}`)
}

/**
 * What somebody else has set meanwhile (`kubectl uncordon`, `kubectl scale`, an autoscaler) stays, and only our annotation is taken off. The tests of
 * the patch hold in the cluster itself: it cannot take back what has become another's since it was looked at.
 */
export async function changeBack(connection: Connection, change: Change, id: string): Promise<void> {
  const { path, what, pointer, value, before } = change
  const { state } = await lookAtChange(connection, change, id)
  if (state === 'absent') return
  const back = [
    { op: 'test', path: pointer, value },
    before === null ? { op: 'remove', path: pointer } : { op: 'replace', path: pointer, value: before },
  ]
  try {
    await patch(connection, path, what, [
      { op: 'test', path: `/metadata/annotations/${escaped}`, value: id },
      ...(state === 'present' ? back : []),
      { op: 'remove', path: `/metadata/annotations/${escaped}` },
    ])
  } catch (error) {
    // Another undo was quicker, or the object is gone.
    if (!isMissing(error) && (await lookAtChange(connection, change, id)).state !== 'absent') throw error
    if (!isHoldfastError(error)) throw error
  }
}

async function patch(connection: Connection, path: string, what: string, operations: readonly object[]): Promise<void> {
  const contentType = 'application/json-patch+json'
  await connection.send({ method: 'PATCH', path, contentType, body: operations, what: `patch ${what}`, changes: true })
}
