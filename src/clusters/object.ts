import { isHoldfastError, type Json } from '../kernel/index.ts'
import type { Connection } from './connection.ts'

/** What faults and experiments look at of an object of any kind. */
export interface KubeObject {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly ownerReferences?: readonly { readonly kind: string; readonly controller?: boolean }[]
    readonly uid: string
    /** RFC 3339, in UTC, to the second. */
    readonly creationTimestamp?: string
    readonly annotations?: Readonly<Record<string, string>>
    readonly labels?: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
    readonly resourceVersion?: string
  }
  readonly spec?: Readonly<Record<string, Json>>
  readonly status?: {
    readonly phase?: string
    /** Null in a status that nobody has written to yet. */
    readonly conditions?: readonly { readonly type: string; readonly status: string }[] | null
  }
}

/** Undefined when there is none. */
export async function readObject(connection: Connection, path: string, what: string): Promise<KubeObject | undefined> {
  try {
    return (await connection.send({ method: 'GET', path, what: `read ${what}` })) as unknown as KubeObject
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** The status 404 of an object, or of its kind. */
export function isMissing(error: unknown): boolean {
  return isHoldfastError(error, 'not-found') && error.details.status === 404
}
