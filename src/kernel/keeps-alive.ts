import type { ChildProcess } from 'node:child_process'

/** Whether this process, which may end without waiting for a child, stays for it: while it waits for an answer. */
export function keepsAlive(child: ChildProcess, keeps: boolean): void {
  const parts = [child, child.stdin, child.stdout] as (Partial<NodeJS.RefCounted> | null)[]
  for (const part of parts) {
    if (keeps) part?.ref?.()
    else part?.unref?.()
  }
}
