import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file system of its own of this size, in memory; only root may mount one. */
export function smallDisk(
  megabytes: number,
): (Disposable & { readonly path: string; grow(megabytes: number): void }) | undefined {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-disk-'))
  const mount = (...options: string[]) => spawnSync('mount', ['-t', 'tmpfs', '-o', ...options, 'tmpfs', path]).status === 0
  if (!mount(`size=${megabytes}m`)) {
    rmSync(path, { recursive: true })
    return undefined
  }
  return {
    path,
    grow: (megabytes) => void mount(`remount,size=${megabytes}m`),
    [Symbol.dispose]() {
      spawnSync('umount', [path])
      rmSync(path, { recursive: true })
    },
  }
}
