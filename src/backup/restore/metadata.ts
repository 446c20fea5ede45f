import { fchmodSync, fchownSync, futimesSync, lchownSync, lutimesSync } from 'node:fs'
import { messageOf, systemCode } from '../../kernel/index.ts'
import { unixPermissions } from '../file-mode.ts'
import type { Posix } from '../posix.ts'
import type { TargetDirectories } from './directories.ts'
import type { Metadata } from './range-calls.ts'

/** Tells that something about an entry could not be restored: the entry is there, but not as it was. */
export type OnLoss = (path: Buffer, reason: string) => void

/**
 * Gives an entry what its node says, in an order in which nothing undoes what came before: owner, extended attributes, times, mode
 * (chown clears the set-user-ID bit).
 *
 * The owner is restored by root only, as nobody else may. Without `posix`, extended attributes are not restored, and times keep about
 * 240 ns of their precision, which is what a double holds of today's seconds; the former is reported as a loss.
 */
export function applyMetadata(path: Buffer, node: Metadata, { posix, directories }: MetadataTools, onLoss: OnLoss): void {
  const attempt = attempting(directories, (reason) => onLoss(path, reason))
  if (process.getuid?.() === 0) attempt('owner', () => lchownSync(directories.at(path), node.uid, node.gid))
  for (const { name, value } of node.extendedAttributes ?? []) {
    attempt(`extended attribute ${name}`, () => setAttribute(directories.at(path), name, value, posix))
  }
  attempt('times', () => setTimes(directories.at(path), node, posix))
  // A link has no mode of its own on Linux.
  if (node.type !== 'symlink') attempt('mode', () => directories.setMode(path, unixPermissions(node.mode)))
}

/** As applyMetadata, for a regular file that is open: its name need not be found again for each of it. */
export function applyToFile(
  { descriptor, path }: { readonly descriptor: number; readonly path: Buffer },
  node: Metadata,
  { posix, directories }: MetadataTools,
  onLoss: (reason: string) => void,
): void {
  const attempt = attempting(directories, onLoss)
  if (process.getuid?.() === 0) attempt('owner', () => fchownSync(descriptor, node.uid, node.gid))
  for (const { name, value } of node.extendedAttributes ?? []) {
    attempt(`extended attribute ${name}`, () => setAttribute(directories.at(path), name, value, posix))
  }
  const { atime, mtime } = node
  attempt('times', () => {
    if (posix === undefined) futimesSync(descriptor, seconds(atime), seconds(mtime))
    else posix.setFileTimes(descriptor, { atimeNs: atime, mtimeNs: mtime })
  })
  attempt('mode', () => fchmodSync(descriptor, unixPermissions(node.mode)))
}

export interface MetadataTools {
  readonly posix: Posix | undefined
  readonly directories: TargetDirectories
}

function attempting(directories: TargetDirectories, onLoss: (reason: string) => void): (what: string, work: () => void) => void {
  return (what, work) => {
    try {
      work()
    } catch (error) {
      onLoss(`its ${what} could not be restored: ${directories.inWords(messageOf(error))}`)
    }
  }
}

function setTimes(path: Buffer, { atime, mtime }: Metadata, posix: Posix | undefined): void {
  if (posix === undefined) lutimesSync(path, seconds(atime), seconds(mtime))
  else posix.setTimes(path, { atimeNs: atime, mtimeNs: mtime })
}

function seconds(ns: bigint): number {
  return Number(ns / 1_000_000_000n) + Number(ns % 1_000_000_000n) / 1e9
}

function setAttribute(path: Buffer, name: string, value: Uint8Array, posix: Posix | undefined): void {
  if (posix === undefined) throw new Error('this Node has no way to set it (node:ffi)')
  try {
    posix.setAttribute(path, Buffer.from(name), Buffer.from(value))
  } catch (error) {
    // Names of the kernel's own, such as security.*, are root's to set; restic leaves them out quietly as well.
    if (systemCode(error) === 'EPERM' && process.getuid?.() !== 0 && !name.startsWith('user.')) return
    throw error
  }
}
