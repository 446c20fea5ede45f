import type { ExtendedAttribute, TreeNode } from './node.ts'

/** Whether nothing that a tree says about two nodes differs: what is absent and what is zero or empty is written alike. */
export function isSameNode(a: TreeNode, b: TreeNode): boolean {
  return (
    a.type === b.type &&
    a.mode === b.mode &&
    a.mtime === b.mtime &&
    a.ctime === b.ctime &&
    a.atime === b.atime &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    (a.inode ?? 0n) === (b.inode ?? 0n) &&
    (a.deviceId ?? 0n) === (b.deviceId ?? 0n) &&
    (a.size ?? 0n) === (b.size ?? 0n) &&
    (a.links ?? 0n) === (b.links ?? 0n) &&
    (a.device ?? 0n) === (b.device ?? 0n) &&
    (a.user ?? '') === (b.user ?? '') &&
    (a.group ?? '') === (b.group ?? '') &&
    (a.subtree ?? '') === (b.subtree ?? '') &&
    (a.error ?? '') === (b.error ?? '') &&
    (a.genericAttributes ?? '') === (b.genericAttributes ?? '') &&
    sameBytes(a.name, b.name) &&
    sameContent(a.content, b.content) &&
    sameBytes(a.linkTarget ?? nothing, b.linkTarget ?? nothing) &&
    sameAttributes(a.extendedAttributes ?? [], b.extendedAttributes ?? [])
  )
}

const nothing = new Uint8Array(0)

function sameContent(a: readonly string[] | null, b: readonly string[] | null): boolean {
  if (a === b) return true
  return a !== null && b !== null && a.length === b.length && a.every((id, at) => id === b[at])
}

function sameAttributes(a: readonly ExtendedAttribute[], b: readonly ExtendedAttribute[]): boolean {
  return a.length === b.length && a.every(({ name, value }, at) => name === b[at]?.name && sameBytes(value, b[at].value))
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0
}
